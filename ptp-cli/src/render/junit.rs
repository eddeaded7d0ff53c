//! `JUnit` XML, for CI systems: one test case per node, failed by the incidents that began there.

use std::io::{self, Write};

use ptp_diagnostics::{Report, Severity};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

pub(crate) fn junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new("ptp diagnosis");
    for node in &report.nodes {
        let status = report
            .incidents
            .iter()
            .find(|i| i.severity >= Severity::Warning && i.origin_nodes.contains(&node.node))
            .map_or_else(TestCaseStatus::success, |incident| {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status
                    .set_type(incident.root_cause.code())
                    .set_message(incident.summary.clone())
                    .set_description(incident.details.clone());
                status
            });
        let mut case = TestCase::new(node.node.as_str(), status);
        case.set_classname("node");
        suite.add_test_case(case);
    }
    let mut junit = quick_junit::Report::new("ptp-cli diagnose");
    junit.add_test_suite(suite);
    junit.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}
