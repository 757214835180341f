{{/* Full name of the release's objects. */}}
{{- define "imagebuild.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of cluster-scoped objects, which must differ from those of a release with the same name in another namespace. */}}
{{- define "imagebuild.clusterName" -}}
{{- printf "%s-%s" (include "imagebuild.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* Labels by which the Deployment selects its pods. They cannot be changed. */}}
{{- define "imagebuild.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/* Labels of all objects. */}}
{{- define "imagebuild.labels" -}}
{{ include "imagebuild.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: imagebuild
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Metadata of an object. Takes a dictionary: root, name, and where the object has them, namespace, labels and annotations.
The chart's own labels take precedence over the object's, and these over commonLabels. */}}
{{- define "imagebuild.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- merge (include "imagebuild.labels" $root | fromYaml) (.labels | default dict) $root.Values.commonLabels | toYaml | nindent 2 }}
{{- with merge dict (.annotations | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "imagebuild.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "imagebuild.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- /* Not `default`: every pod of the namespace that names no other would have the operator's permissions. */ -}}
{{- required "serviceAccount.create is false: set serviceAccount.name to the ServiceAccount of the operator" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Reference of an image: with its digest, its tag or the chart's appVersion. Takes the root, the image's values and
their path. */}}
{{- define "imagebuild.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $path := index . 2 -}}
{{- $registry := default $image.registry ($root.Values.global).imageRegistry -}}
{{- $first := splitList "/" $image.repository | first -}}
{{- if and $registry (contains "/" $image.repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- fail (printf "%s.repository is %s: write the registry %s to %s.registry, and the rest of the name to %s.repository" $path $image.repository $first $path $path) -}}
{{- end -}}
{{- with $registry -}}{{ . | trimSuffix "/" }}/{{- end -}}
{{- $image.repository -}}
{{- if $image.digest -}}
@{{ $image.digest }}
{{- else -}}
:{{ default $root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* Secrets for pulling images, as a YAML list of {name: …}: those of the image's own values and the global ones, each of
which may be a name only. Takes the root and the image's own. */}}
{{- define "imagebuild.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (index . 1) (((index . 0).Values.global).imagePullSecrets | default list) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- $secrets | uniq | toYaml -}}
{{- end -}}

{{/* Permissions of the operator. None are on Secrets: build pods use them by reference. */}}
{{- define "imagebuild.rules" -}}
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds]
  verbs: [get, list, watch, delete]
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds/status]
  verbs: [patch]
{{- if .Values.trackedImages.enabled }}
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds]
  verbs: [create]
- apiGroups: [imagebuild.dev]
  resources: [trackedimages]
  verbs: [get, list, watch]
- apiGroups: [imagebuild.dev]
  resources: [trackedimages/status]
  verbs: [patch]
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [buckets, externalartifacts, gitrepositories, ocirepositories]
  verbs: [list]
{{- end }}
- apiGroups: [imagebuild.dev]
  resources: [imagebuilddefaults]
  verbs: [get, list, watch]
- apiGroups: [imagebuild.dev]
  resources: [imagebuilddefaults/status]
  verbs: [patch]
{{- if not .Values.watchNamespaces }}
- apiGroups: [imagebuild.dev]
  resources: [clusterimagebuilddefaults]
  verbs: [get, list, watch]
- apiGroups: [imagebuild.dev]
  resources: [clusterimagebuilddefaults/status]
  verbs: [patch]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete]
{{- if or .Values.progress.enabled .Values.trackedImages.enabled }}
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [list, create]
{{- end -}}

{{/* Permissions of users who run builds. */}}
{{- define "imagebuild.editorRules" -}}
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds, trackedimages]
  verbs: [create, update, patch, delete, deletecollection]
{{- end -}}

{{/* Permissions of users who look at builds. Takes further resources. */}}
{{- define "imagebuild.viewerRules" -}}
- apiGroups: [imagebuild.dev]
  resources: {{ concat (list "imagebuilds" "imagebuilds/status" "imagebuilddefaults" "trackedimages" "trackedimages/status") . | toJson }}
  verbs: [get, list, watch]
{{- end -}}

{{/* The settings file: the values that the operator reads, under the same names, with the builder image as a reference. */}}
{{- define "imagebuild.settings" -}}
{{- $settings := pick .Values "watchNamespaces" "buildSelector" "admission" "retry" "progress" "trackedImages" "credentials" "log" "tracing" -}}
{{- $image := include "imagebuild.image" (list . .Values.builder.image "builder.image") -}}
{{- $secrets := include "imagebuild.pullSecrets" (list . .Values.builder.imagePullSecrets) | fromYamlArray -}}
{{- $pulled := dict "image" $image "pullPolicy" .Values.builder.image.pullPolicy "imagePullSecrets" $secrets -}}
{{- $buildkit := dict "image" (include "imagebuild.image" (list . .Values.builder.buildkit.image "builder.buildkit.image")) -}}
{{- if not .Values.builder.buildkit.enabled -}}
{{- $buildkit = dict "image" "" -}}
{{- end -}}
{{- if and .Values.builder.buildkit.nodeProfile.enabled (not .Values.builder.buildkit.seccompProfile) -}}
{{- $_ := set $buildkit "seccompProfile" (dict "type" "Localhost" "localhostProfile" "imagebuild/buildkit.json") -}}
{{- end -}}
{{- $_ := set $pulled "buildkit" (merge $buildkit (omit .Values.builder.buildkit "image" "enabled" "nodeProfile")) -}}
{{- $_ := set $settings "builder" (merge $pulled (omit (deepCopy .Values.builder) "buildkit")) -}}
{{- $_ := set $settings "metrics" (pick .Values.metrics "enabled" "port" "namespaceLabels") -}}
{{- if .Values.signer.enabled -}}
{{- $key := required "signer.enabled needs signer.publicKey: --set-file signer.publicKey=cosign.pub" .Values.signer.publicKey -}}
{{- $_ := set $settings "signer" (dict "url" (printf "https://%s-signer.%s.svc:8443" (include "imagebuild.fullname" .) .Release.Namespace) "publicKey" $key) -}}
{{- end -}}
{{- if .Values.webhook.enabled -}}
{{- $_ := set $settings "webhook" (dict "url" (printf "http://%s-webhook.%s.svc:8080" (include "imagebuild.fullname" .) .Release.Namespace)) -}}
{{- end -}}
{{- /* Helm 4 drops the defaults that are null. */ -}}
{{- $_ := set $settings "history" (dict "succeeded" .Values.history.succeeded "failed" .Values.history.failed) -}}
{{- $lease := dict "leaseName" (include "imagebuild.fullname" .) "leaseNamespace" .Release.Namespace -}}
{{- $_ := set $settings "leaderElection" (merge $lease .Values.leaderElection) -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* Label matchers of the metrics that Prometheus scrapes through one of the monitors. */}}
{{- define "imagebuild.metricsSelector" -}}
namespace="{{ .Release.Namespace }}", job="{{ .Release.Name }}"
{{- end -}}

{{/* CEL expression that is true if variables.labels match a label selector such as "team in (a,b), !legacy". */}}
{{- define "imagebuild.selectorExpression" -}}
{{- $terms := list -}}
{{- range regexFindAll "[^,(]+(\\([^)]*\\))?" . -1 -}}
{{- $requirement := trim . -}}
{{- $key := regexFind "[^!=() ]+" $requirement | quote -}}
{{- $has := printf "%s in variables.labels" $key -}}
{{- if contains "(" $requirement -}}
{{- $values := list -}}
{{- range splitList "," (regexFind "\\([^)]*" $requirement | trimPrefix "(") -}}
{{- $values = append $values (trim .) -}}
{{- end -}}
{{- $is := printf "%s && variables.labels[%s] in %s" $has $key (toJson $values) -}}
{{- $terms = append $terms (printf (ternary "!(%s)" "(%s)" (regexMatch " notin *\\(" $requirement)) $is) -}}
{{- else if contains "=" $requirement -}}
{{- $value := regexFind "[^=]*$" $requirement | trim | quote -}}
{{- $is := printf "%s && variables.labels[%s] == %s" $has $key $value -}}
{{- $terms = append $terms (printf (ternary "!(%s)" "(%s)" (contains "!=" $requirement)) $is) -}}
{{- else -}}
{{- $terms = append $terms (printf (ternary "!(%s)" "(%s)" (hasPrefix "!" $requirement)) $has) -}}
{{- end -}}
{{- end -}}
{{- join " && " $terms -}}
{{- end -}}
