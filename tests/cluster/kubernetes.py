"""etcd and the parts of Kubernetes."""

import json
from collections.abc import Iterator
from pathlib import Path

from cluster import api
from cluster.processes import Part
from cluster.settings import DNS_DOMAIN, NODE_NAME, Cluster

CAP_SYS_RESOURCE = 24
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl")


def control_plane(cluster: Cluster) -> Iterator[Part]:
    """etcd and kube-apiserver."""
    client, peer = (f"http://{cluster.loopback}:{cluster.etcd_port + offset}" for offset in (0, 1))
    yield Part(
        "etcd",
        [
            cluster.bin / "etcd",
            f"--data-dir={cluster.state / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # what a power cut breaks is thrown away anyway
        ],
        api.answers(f"{client}/health"),
    )
    pki = cluster.pki
    argv: list[str | Path] = [
        cluster.bin / "kube-apiserver",
        f"--etcd-servers={client}",
        f"--bind-address={cluster.address}",
        f"--advertise-address={cluster.address}",
        f"--secure-port={cluster.api_port}",
        f"--tls-cert-file={pki / 'kube-apiserver.crt'}",
        f"--tls-private-key-file={pki / 'kube-apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'admin.crt'}",
        f"--kubelet-client-key={pki / 'admin.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer=https://kubernetes.default.svc.{DNS_DOMAIN}",
        f"--service-account-key-file={pki / 'service-accounts.key'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-cluster-ip-range={cluster.service_subnet}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--max-requests-inflight=1600",
        "--max-mutating-requests-inflight=800",
    ]
    if cluster.functional:
        # No controller makes service accounts here, and nothing can reach an endpoint on loopback.
        argv += ["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"]
    files: dict[Path, str] = {}
    if cluster.has_audit_log:
        policy = cluster.state / "audit-policy.json"
        files[policy] = json.dumps(_audit_policy(), indent=1)
        argv += [f"--audit-policy-file={policy}", f"--audit-log-path={cluster.audit_log}"]
        # In MB: it is read as one file.
        argv += ["--audit-log-maxsize=100000"]
    ready = api.answers(f"{cluster.server}/readyz", tls=lambda: api.administrator(cluster))
    yield Part("kube-apiserver", argv, ready, files)


def _audit_policy() -> dict[str, object]:
    """Each change of a pod or an ImageBuild, with what it has led to; nothing else."""
    changes = {
        "level": "RequestResponse",
        "verbs": ["create", "update", "patch", "delete", "deletecollection"],
        "resources": [
            {"group": "", "resources": ["pods", "pods/status", "pods/eviction"]},
            {"group": "imagebuild.dev", "resources": ["imagebuilds", "imagebuilds/status"]},
        ],
        "omitStages": ["RequestReceived"],
    }
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitManagedFields": True}
    return {**policy, "rules": [changes, {"level": "None"}]}


def controllers(cluster: Cluster) -> Iterator[Part]:
    """kube-controller-manager and kube-scheduler."""
    pki = cluster.pki
    common = [
        f"--bind-address={cluster.loopback}",
        "--leader-elect=false",
        "--kube-api-qps=400",
        "--kube-api-burst=800",
    ]
    yield Part(
        "kube-controller-manager",
        [
            cluster.bin / "kube-controller-manager",
            f"--kubeconfig={pki / 'kube-controller-manager.conf'}",
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            # A machine that stands still for a moment has not lost its only node.
            "--node-monitor-grace-period=5m",
            f"--flex-volume-plugin-dir={cluster.state / 'volume-plugins'}",
            "--use-service-account-credentials",
            *common,
        ],
        api.answers(f"https://{cluster.loopback}:10257/healthz", tls=api.unverified),
    )
    yield Part(
        "kube-scheduler",
        [cluster.bin / "kube-scheduler", f"--kubeconfig={pki / 'kube-scheduler.conf'}", *common],
        api.answers(f"https://{cluster.loopback}:10259/healthz", tls=api.unverified),
    )


def node(cluster: Cluster) -> Iterator[Part]:
    """Kubelet and kube-proxy, which run in the node's network namespace."""
    kubelet = cluster.state / "kubelet.json"
    resolv = cluster.state / "resolv.conf"
    yield Part(
        "kubelet",
        [
            cluster.bin / "kubelet",
            f"--config={kubelet}",
            f"--kubeconfig={cluster.pki / 'kubelet.conf'}",
            f"--root-dir={cluster.state / 'kubelet'}",
            f"--cert-dir={cluster.state / 'kubelet-pki'}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={cluster.node_address}",
        ],
        api.answers(f"http://{cluster.node_address}:10248/healthz"),
        # Empty name server file: nothing of the host's name servers and search list reaches a pod.
        {kubelet: json.dumps(_kubelet(cluster, resolv), indent=1), resolv: ""},
        on_node=True,
    )
    proxy = cluster.state / "kube-proxy.json"
    yield Part(
        "kube-proxy",
        [cluster.bin / "kube-proxy", f"--config={proxy}"],
        api.answers(f"http://{cluster.node_address}:10256/healthz"),
        {proxy: json.dumps(_proxy(cluster), indent=1)},
        on_node=True,
    )


def _kubelet(cluster: Cluster, resolv: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": cluster.node_address,
        "healthzBindAddress": cluster.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(cluster.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.name}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "failCgroupV1": False,
        "featureGates": {} if may_raise_limits() else {"KubeletInUserNamespace": True},
        "clusterDNS": [cluster.dns_service],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": str(resolv),
        "podLogsDir": str(cluster.state / "pod-logs"),
        "volumePluginDir": str(cluster.state / "volume-plugins"),
        "maxPods": 240,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "imageGCHighThresholdPercent": 100,
        # No pressure and no eviction, as in kind: the disk is the machine's, where others may need space for a moment,
        # and the kubelet would take no pod for the five minutes after.
        "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
    }


def _proxy(cluster: Cluster) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(cluster.pki / "kube-proxy.conf")},
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": cluster.pod_subnet,
        "mode": "iptables",
        # Pods, node and host share one Ethernet: answers must come back through the node's translation.
        "iptables": {"masqueradeAll": True, "localhostNodePorts": False},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": f"{cluster.node_address}:10256",
        "metricsBindAddress": f"{cluster.node_address}:10249",
    }


def may_raise_limits() -> bool:
    """Whether this machine lets its root raise resource limits (CAP_SYS_RESOURCE)."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return bool(int(status["CapEff"], 16) >> CAP_SYS_RESOURCE & 1)


def await_node(cluster: Cluster) -> None:
    """Wait until pods can be created and will be run."""

    def node_is_ready() -> bool:
        node = api.get(cluster, f"/api/v1/nodes/{NODE_NAME}") or {}
        conditions = node.get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def account_is_there() -> bool:
        return api.get(cluster, "/api/v1/namespaces/default/serviceaccounts/default") is not None

    api.await_condition("the node is ready", node_is_ready, cluster.logs / "kubelet.log")
    api.await_condition(
        "the default service account is there", account_is_there, cluster.logs / "kube-controller-manager.log"
    )
