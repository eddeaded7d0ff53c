//! Which version of the API the operator has set up.

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use ptp_events::ApiVersion;

/// Reads `PtpOperatorConfig` `default`; `None` when it is not there, we may not, or it says
/// nothing we know. Then each publisher is tried out, so no error is worth reporting.
pub(super) async fn read(client: &Client, namespace: &str) -> Option<ApiVersion> {
    let kind = GroupVersionKind::gvk("ptp.openshift.io", "v1", "PtpOperatorConfig");
    let resource = ApiResource::from_gvk(&kind);
    let configs: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let config = configs.get_opt("default").await.ok()??;
    let version = &config.data["spec"]["ptpEventConfig"]["apiVersion"];
    match version.as_str()?.trim().split('.').next()? {
        "1" => Some(ApiVersion::V1),
        "2" => Some(ApiVersion::V2),
        _ => None,
    }
}
