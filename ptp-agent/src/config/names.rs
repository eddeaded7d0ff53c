//! The names that others know the agent by: publishers, and clients of MCP.

use std::net::{IpAddr, Ipv4Addr};

use super::Options;

/// What publishers are told, from the surest to the least sure source.
pub(super) fn callback(options: &Options) -> Option<String> {
    let port = options.listen.port();
    let with_port = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("http://{ip}:{port}"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
    };
    let own = options.listen.ip();
    options
        .endpoint
        .clone()
        .or_else(|| {
            let namespace = options.agent_namespace.as_deref()?;
            Some(format!("http://ptp-agent.{namespace}.svc.cluster.local:{port}"))
        })
        .or_else(|| options.pod_ip.map(with_port))
        .or_else(|| options.node_ip.map(with_port))
        .or_else(|| (!own.is_unspecified() && port != 0).then(|| with_port(own)))
}

pub(super) const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Every name by which MCP clients and, without a token, those of the API may reach us: a page that made a browser believe another name
/// is ours is refused.
pub(super) fn mcp_hosts(options: &Options) -> Vec<String> {
    let mut hosts: Vec<_> = LOOPBACK.map(str::to_owned).into();
    if let Some(namespace) = &options.agent_namespace {
        let service = format!("ptp-agent.{namespace}");
        hosts.push("ptp-agent".to_owned());
        hosts.extend(["", ".svc", ".svc.cluster.local"].map(|end| format!("{service}{end}")));
    }
    hosts.extend(options.pod_ip.map(|ip| ip.to_string()));
    hosts.extend(options.external_url.as_deref().and_then(crate::api::host_of));
    hosts.extend(options.mcp_host.iter().filter(|host| !host.trim().is_empty()).cloned());
    hosts
}

/// The callback for publishers on this machine.
pub(crate) fn loopback(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}
