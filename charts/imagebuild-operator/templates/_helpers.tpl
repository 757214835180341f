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

{{- define "imagebuild.labels" -}}
{{ include "imagebuild.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: imagebuild
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "imagebuild.serviceAccountName" -}}
{{- default (ternary (include "imagebuild.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Reference of an image: with its digest, its tag or the chart's appVersion. */}}
{{- define "imagebuild.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default (index . 1) $image.tag }}
{{- end -}}
{{- end -}}

{{/* Permissions of the operator. None are on Secrets: build pods use them by reference. */}}
{{- define "imagebuild.rules" -}}
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds]
  verbs: [get, list, watch, delete]
- apiGroups: [imagebuild.dev]
  resources: [imagebuilds/status]
  verbs: [patch]
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
{{- if .Values.progress.enabled }}
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [list, create]
{{- end -}}

{{/* The settings file: the values that the operator reads, under the same names, with the builder image as a reference. */}}
{{- define "imagebuild.settings" -}}
{{- $settings := pick .Values "watchNamespaces" "buildSelector" "admission" "history" "retry" "progress" "credentials" "log" "tracing" -}}
{{- $image := include "imagebuild.image" (list .Values.builder.image .Chart.AppVersion) -}}
{{- $_ := set $settings "builder" (set (deepCopy .Values.builder) "image" $image) -}}
{{- $_ := set $settings "metrics" (pick .Values.metrics "enabled" "port" "namespaceLabels") -}}
{{- $lease := dict "leaseName" (include "imagebuild.fullname" .) "leaseNamespace" .Release.Namespace -}}
{{- $_ := set $settings "leaderElection" (merge $lease .Values.leaderElection) -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* Label matchers of the metrics that Prometheus scrapes through one of the monitors. */}}
{{- define "imagebuild.metricsSelector" -}}
namespace="{{ .Release.Namespace }}", job="{{ .Release.Name }}"
{{- end -}}

{{/* Addresses of the API server as a JSON list: those in the values, or those that Helm finds in the cluster. */}}
{{- define "imagebuild.apiServers" -}}
{{- $found := .Values.networkPolicy.operator.apiServer.cidrs -}}
{{- if not $found -}}
{{- with lookup "v1" "Service" "default" "kubernetes" -}}
{{- range .spec.clusterIPs -}}
{{- $found = append $found (ternary (printf "%s/128" .) (printf "%s/32" .) (contains ":" .)) -}}
{{- end -}}
{{- end -}}
{{- with lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "kubernetes" -}}
{{- range .endpoints -}}
{{- range .addresses -}}
{{- $found = append $found (ternary (printf "%s/128" .) (printf "%s/32" .) (contains ":" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | uniq | toJson -}}
{{- end -}}
