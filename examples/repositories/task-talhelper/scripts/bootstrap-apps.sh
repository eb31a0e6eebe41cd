#!/usr/bin/env bash
# Namespaces, secrets, then the releases of the helmfile. It may be run again.
set -euo pipefail

root="$(git rev-parse --show-toplevel)"

for folder in "$root"/kubernetes/apps/*/; do
  kubectl create namespace "$(basename "$folder")" --dry-run=client --output yaml |
    kubectl apply --server-side --filename -
done

for secret in bootstrap/github-deploy-key kubernetes/components/common/sops/cluster-secrets; do
  sops --decrypt "$root/$secret.sops.yaml" |
    kubectl --namespace flux-system apply --server-side --filename -
done

helmfile --file "$root/bootstrap/helmfile.yaml" sync --hide-notes
