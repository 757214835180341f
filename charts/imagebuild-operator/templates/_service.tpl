{{/* Labels by which a Service of the builder image finds its pods: (list root component). */}}
{{- define "imagebuild.serviceLabels" -}}
{{- merge (dict "app.kubernetes.io/component" (index . 1)) (include "imagebuild.selectorLabels" (index . 0) | fromYaml) | toYaml -}}
{{- end -}}

{{/* ServiceAccount, Service and Deployment of a program in the builder image.

root; component, which ends the names; command; port; scheme of the port; env; values with replicaCount, resources,
serviceAccount.annotations and podLabels; hasToken: whether it speaks to the API server; changed: text whose change needs
another start; image: mounted at imagePath, if there is one, for a program that is copied from it. */}}
{{- define "imagebuild.service" -}}
{{- $root := .root -}}
{{- $name := printf "%s-%s" (include "imagebuild.fullname" $root) .component -}}
{{- $metadata := dict "root" $root "name" $name "namespace" $root.Release.Namespace -}}
{{- $labels := include "imagebuild.serviceLabels" (list $root .component) | fromYaml -}}
{{- $builder := $root.Values.builder.image -}}
{{- $path := "builder.image" -}}
{{- if $root.Values.builder.buildkit.enabled -}}
{{- $builder = $root.Values.builder.buildkit.image -}}
{{- $path = "builder.buildkit.image" -}}
{{- end -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "imagebuild.metadata" (merge (dict "annotations" (dig "serviceAccount" "annotations" dict .values)) $metadata) | nindent 2 }}
# Where a token is needed, the Deployment mounts it.
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  {{- include "imagebuild.metadata" $metadata | nindent 2 }}
spec:
  selector:
    {{- toYaml $labels | nindent 4 }}
  ports:
  - name: {{ lower .scheme }}
    port: {{ .port }}
    targetPort: {{ lower .scheme }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "imagebuild.metadata" $metadata | nindent 2 }}
spec:
  replicas: {{ .values.replicaCount | default 1 }}
  revisionHistoryLimit: {{ $root.Values.revisionHistoryLimit }}
  selector:
    matchLabels:
      {{- toYaml $labels | nindent 6 }}
  template:
    metadata:
      labels:
        {{- merge $labels (.values.podLabels | default dict) $root.Values.commonLabels | toYaml | nindent 8 }}
      annotations:
        checksum/settings: {{ sha256sum .changed }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: {{ .hasToken }}
      enableServiceLinks: false
      securityContext:
        {{- toYaml $root.Values.podSecurityContext | nindent 8 }}
      {{- with include "imagebuild.pullSecrets" (list $root $root.Values.builder.imagePullSecrets) | fromYamlArray }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
      - name: {{ .component }}
        image: {{ include "imagebuild.image" (list $root $builder $path) | quote }}
        imagePullPolicy: {{ $root.Values.builder.image.pullPolicy }}
        args: [{{ .command }}]
        env:
        {{- toYaml .env | nindent 8 }}
        ports:
        - name: {{ lower .scheme }}
          containerPort: {{ .port }}
        livenessProbe:
          httpGet: {path: /healthz, port: {{ lower .scheme }}, scheme: {{ .scheme }}}
        readinessProbe:
          httpGet: {path: /healthz, port: {{ lower .scheme }}, scheme: {{ .scheme }}}
          periodSeconds: 2
        resources:
          {{- toYaml .values.resources | nindent 10 }}
        securityContext:
          runAsUser: 65532
          runAsGroup: 65532
          {{- toYaml $root.Values.securityContext | nindent 10 }}
        volumeMounts:
        - name: run
          mountPath: /kaniko/.run
        {{- if .image }}
        - name: image
          mountPath: {{ .imagePath }}
          readOnly: true
        {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumes:
      - name: run
        {{- if .image }}
        emptyDir:
          sizeLimit: 512Mi
      - name: image
        image: {reference: {{ .image | quote }}}
        {{- else }}
        emptyDir:
          medium: Memory
          sizeLimit: 16Mi
        {{- end }}
{{- end -}}
