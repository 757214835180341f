"""Values that set all that the chart can do."""

from typing import Any

EVERYTHING: dict[str, Any] = {
    "image": {"registry": "registry.example.com:5000", "repository": "operator", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "pull"}],
    "replicaCount": 3,
    "leaderElection": {"leaseSeconds": 15},
    "podDisruptionBudget": {"maxUnavailable": "50%"},
    "commonLabels": {"cost-center": "1", "app.kubernetes.io/name": "ignored", "release": "less"},
    "commonAnnotations": {"example.com/owner": "platform", "example.com/role": "less"},
    "serviceAccount": {"annotations": {"example.com/role": "x"}, "labels": {"pool": "a"}, "automount": False},
    "builder": {
        "image": {"registry": "registry.example.com", "repository": "builder", "tag": "2", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "builder-pull"}],
        "resources": {"requests": {"cpu": 2}, "limits": {"memory": "4Gi"}},
        "nodeSelector": {"builds": "yes"},
        "tolerations": [{"key": "builds", "operator": "Exists"}],
        "checkPush": False,
        "pushProofSeconds": 600,
        "allowPrivilegeEscalation": True,
        "engine": "Auto",
        "buildkit": {
            "image": {"registry": "registry.example.com", "repository": "buildkit", "digest": "sha256:" + "b" * 64},
            "procMount": "Default",
            "seccompProfile": {"type": "Localhost", "localhostProfile": "buildkit.json"},
            "appArmorProfile": {"type": "Localhost", "localhostProfile": "buildkit"},
            "nodeProfile": {"enabled": True, "directory": "/var/lib/kubelet/other"},
        },
        "proxy": {"httpProxy": "http://proxy:3128", "noProxy": ".svc,10.0.0.0/8"},
        "registries": [
            {"host": "docker.io", "mirrors": ["m:5000/hub"]},
            {"host": "m:5000", "plainHTTP": True},
            {"host": "p", "caBundle": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}},
        ],
    },
    "policies": {
        "namespaceSelector": {"matchLabels": {"builds": "restricted"}},
        "validationActions": ["Warn", "Audit"],
        "registries": ["registry.example.com/{namespace}/"],
        "sources": ["https://git.example.com/"],
        "labels": ["example.com/team"],
        **dict.fromkeys(("fullCommit", "tls", "noPriority", "noPodFields", "noIdentities", "noAttestations"), True),
    },
    "admission": {"maxRunning": 10, "maxRunningPerNamespace": 2, "namespaces": {"team-a": 5}},
    "history": {"succeeded": 0, "failed": 20},
    "log": {"format": "plain", "level": "debug"},
    "metrics": {
        "port": 9000,
        "namespaceLabels": True,
        "service": {"annotations": {"prometheus.io/scrape": "true"}, "labels": {"scraped": "yes"}},
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "serviceMonitor": {
            "enabled": True,
            "namespace": "monitoring",
            "interval": "1m",
            "scrapeTimeout": "20s",
            "honorLabels": True,
            "relabelings": [{"targetLabel": "cluster", "replacement": "one"}],
            "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}],
            "annotations": {"example.com/a": "b"},
        },
        "prometheusRule": {
            "enabled": True,
            "namespace": "monitoring",
            "labels": {"release": "prometheus"},
            "annotations": {"example.com/a": "b"},
            "alertLabels": {"team": "platform", "severity": "ignored"},
        },
        "dashboard": {"enabled": True, "namespace": "grafana", "annotations": {"grafana_folder": "Builds"}},
    },
    "tracing": {"endpoint": "http://collector.monitoring:4318"},
    "deploymentAnnotations": {"example.com/a": "b"},
    "podAnnotations": {"example.com/a": "b"},
    "podLabels": {"team": "platform", "app.kubernetes.io/instance": "ignored"},
    "podSecurityContext": {"runAsUser": 1000, "fsGroup": 1000},
    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
    "livenessProbe": {"failureThreshold": 3},
    "readinessProbe": {"initialDelaySeconds": 1},
    "strategy": {"type": "Recreate"},
    "revisionHistoryLimit": 2,
    "terminationGracePeriodSeconds": 5,
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"},
        {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}},
    ],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.10"]},
    "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["registry.example"]}],
    "extraEnv": [
        {"name": "TZ", "value": "UTC"},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ],
    "extraArgs": ["--one"],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/company", "readOnly": True}],
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-one"}, "data": {"a": "b"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {release: '{{ .Release.Name }}'}",
    ],
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}]
            }
        }
    },
}
