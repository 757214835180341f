-- Health of ImageBuild, ImageBuildDefaults and ClusterImageBuildDefaults for Argo CD; see docs/how-to/gitops.md.
local health = {status = "Progressing", message = "The operator has not seen this version yet."}
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Stalled" and condition.status == "True" then
    return {status = "Degraded", message = condition.message}
  end
  if condition.type == "Ready" then
    health.message = condition.message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif status.reason == "Suspended" then
      health.status = "Suspended"
    end
  end
end
return health
