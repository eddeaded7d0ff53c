#!/usr/bin/env bash
# Runs a command against a real API server, with the rights that deploy/base gives the agent:
#
#   KUBE_APISERVER=… ETCD=… tests/real-cluster.sh \
#     cargo test --package ptp-subscriber --all-features real_cluster
#
# There are no nodes and nothing runs: three pods of linuxptp-daemon are only said to. Needs
# kubectl and openssl. The command finds $ADMIN_KUBECONFIG beside $KUBECONFIG, to take rights away.
set -euo pipefail
deploy="$(cd "$(dirname "$0")/../deploy" && pwd)"
dir="$(mktemp -d)"
port=16443
# The API server first: since 1.36 it does not end once etcd has gone. Neither is waited for in vain.
finish() {
  for process in $api $etcd; do
    kill "$process" 2>/dev/null || continue
    for _ in $(seq 50); do
      kill -0 "$process" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$process" 2>/dev/null
  done
  rm -rf "$dir"
}
api='' etcd=''
trap finish EXIT
cd "$dir"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=api -keyout api.key -out api.csr 2>/dev/null
openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out api.crt \
  -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
openssl genrsa -out sa.key 2048 2>/dev/null
echo 'admin,admin,1,"system:masters"' >tokens

"${ETCD:-etcd}" --data-dir etcd --listen-client-urls "http://127.0.0.1:$((port + 1))" \
  --advertise-client-urls "http://127.0.0.1:$((port + 1))" \
  --listen-peer-urls "http://127.0.0.1:$((port + 2))" >etcd.log 2>&1 &
etcd=$!
# Without a controller manager nobody makes the service accounts that admission asks for.
"${KUBE_APISERVER:-kube-apiserver}" --etcd-servers "http://127.0.0.1:$((port + 1))" \
  --bind-address 127.0.0.1 --secure-port "$port" --cert-dir . \
  --tls-cert-file api.crt --tls-private-key-file api.key --token-auth-file tokens \
  --authorization-mode RBAC --disable-admission-plugins ServiceAccount \
  --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.0.0.0/24 \
  --service-account-key-file sa.key --service-account-signing-key-file sa.key >api.log 2>&1 &
api=$!

kubeconfig() {
  cat <<END
{"apiVersion": "v1", "kind": "Config", "current-context": "test",
 "clusters": [{"name": "test", "cluster":
   {"server": "https://127.0.0.1:$port", "certificate-authority": "$dir/ca.crt"}}],
 "users": [{"name": "test", "user": {"token": "$1"}}],
 "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}
END
}
kubeconfig admin >admin.json
kubeconfig nobody >agent.json
admin() { kubectl --kubeconfig admin.json "$@"; }
for _ in $(seq 120); do
  admin get --raw /readyz >/dev/null 2>&1 && break
  sleep 0.5
done
admin get --raw /readyz >/dev/null || { tail -n 5 etcd.log api.log >&2; exit 1; }

admin create namespace openshift-ptp
admin apply -f "$deploy/base/namespace.yaml"
for part in base persistent cluster-tools cluster-exec; do
  admin apply --dry-run=server -k "$deploy/$part"
done
admin apply -k "$deploy/base"
for node in w1 w2 w3.example.com; do
  admin apply -f - <<END
{"apiVersion": "v1", "kind": "Pod",
 "metadata": {"name": "linuxptp-daemon-${node%%.*}", "namespace": "openshift-ptp",
   "labels": {"app": "linuxptp-daemon"}},
 "spec": {"nodeName": "$node", "containers": [{"name": "none", "image": "none"}]}}
END
done
admin auth can-i --list --namespace openshift-ptp --as system:serviceaccount:ptp-agent:ptp-agent
kubeconfig "$(admin create token ptp-agent --namespace ptp-agent)" >agent.json
cd - >/dev/null
ADMIN_KUBECONFIG="$dir/admin.json" KUBECONFIG="$dir/agent.json" "$@"
