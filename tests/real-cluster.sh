#!/usr/bin/env bash
# Runs the tests that ask for a real API server, or the command that is given, with the rights that
# deploy/base and deploy/cluster-exec give the agent:
#
#   KUBE_APISERVER=… ETCD=… tests/real-cluster.sh
#
# There are no kubelets and nothing runs: pods of linuxptp-daemon are only said to. Needs kubectl and
# openssl. The command finds $ADMIN_KUBECONFIG beside $KUBECONFIG, to change what is there, and the
# API server's $AUDIT_LOG.
set -euo pipefail
[ $# -gt 0 ] || set -- cargo nextest run --workspace --all-features --test-threads 1 -E 'test(real_cluster)'
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
    kill -9 "$process" 2>/dev/null || true
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
echo '{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}' >audit.json

"${ETCD:-etcd}" --data-dir etcd --listen-client-urls "http://127.0.0.1:$((port + 1))" \
  --advertise-client-urls "http://127.0.0.1:$((port + 1))" \
  --listen-peer-urls "http://127.0.0.1:$((port + 2))" >etcd.log 2>&1 &
etcd=$!
# Without a controller manager nobody makes the service accounts that admission asks for.
"${KUBE_APISERVER:-kube-apiserver}" --etcd-servers "http://127.0.0.1:$((port + 1))" \
  --bind-address 127.0.0.1 --secure-port "$port" --cert-dir . \
  --tls-cert-file api.crt --tls-private-key-file api.key --token-auth-file tokens \
  --audit-policy-file audit.json --audit-log-path audit.log \
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

# Before the operator: what can be applied is, and the rest when there is a namespace for it.
if admin apply -k "$deploy/base" 2>without; then
  echo "deploy/base applies without the namespace openshift-ptp" >&2
  exit 1
fi
grep -q 'namespaces "openshift-ptp" not found' without
admin create namespace openshift-ptp
for part in base persistent cluster-tools cluster-exec; do
  admin apply --dry-run=server -k "$deploy/$part"
done
for part in base cluster-exec; do
  admin apply -k "$deploy/$part"
  # Nothing is changed by applying it again.
  if admin apply -k "$deploy/$part" | grep -v ' unchanged$'; then
    echo "deploy/$part changes at every apply" >&2
    exit 1
  fi
done
# What an older operator left behind, and nobody reads any more.
admin apply -f - <<END
{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
 "metadata": {"name": "ptpoperatorconfigs.ptp.openshift.io"},
 "spec": {"group": "ptp.openshift.io", "scope": "Namespaced",
   "names": {"kind": "PtpOperatorConfig", "plural": "ptpoperatorconfigs"},
   "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
     {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}
END
admin wait --for condition=established crd/ptpoperatorconfigs.ptp.openshift.io
for _ in $(seq 50); do
  admin get ptpoperatorconfigs --namespace openshift-ptp >/dev/null 2>&1 && break
  sleep 0.2
done
admin apply -f - <<END
{"apiVersion": "ptp.openshift.io/v1", "kind": "PtpOperatorConfig",
 "metadata": {"name": "default", "namespace": "openshift-ptp"},
 "spec": {"daemonNodeSelector": {},
   "ptpEventConfig": {"enableEventPublisher": true, "apiVersion": "1.0"}}}
END
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
export ADMIN_KUBECONFIG="$dir/admin.json" KUBECONFIG="$dir/agent.json" AUDIT_LOG="$dir/audit.log"
"$@"
