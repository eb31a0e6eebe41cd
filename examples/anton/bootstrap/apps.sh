#!/usr/bin/env bash
# Brings up what GitOps itself stands on: CNI, DNS and Flux. May be run again at any time.
#
# KUBECONFIG         the cluster
# FLUX_CRDS          a folder with Flux' CRDs, when they are not in the cluster yet
# BOOTSTRAP_TIMEOUT  how long each workload may take (default 300s)
#
# The CRDs of other operators are none of its business, as in the template: see crds/ for those.
set -euo pipefail

folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
timeout="${BOOTSTRAP_TIMEOUT:-300s}"

log() {
    printf '%s %s\n' "$(date -u +%H:%M:%SZ)" "$*"
}

apply() {
    log "apply $1"
    kubectl apply --server-side --force-conflicts --filename "$1"
}

await() {
    log "wait for $2 in $1"
    kubectl --namespace "$1" rollout status "$2" --timeout "$timeout"
}

apply "$folder/manifests/00-namespaces.yaml"

if [[ -n "${FLUX_CRDS:-}" ]]; then
    apply "$FLUX_CRDS"
    log "wait for Flux' CRDs"
    kubectl wait --for condition=Established --timeout 60s --filename "$FLUX_CRDS"
fi

for manifest in "$folder"/manifests/[1-9]*.yaml; do
    apply "$manifest"
done

await kube-system daemonset/cilium
await kube-system deployment/cilium-operator
await kube-system deployment/coredns
for controller in flux-operator source-controller kustomize-controller helm-controller notification-controller; do
    await flux-system "deployment/$controller"
done
log "CNI, DNS and Flux run"
