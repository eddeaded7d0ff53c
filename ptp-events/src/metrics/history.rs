//! Metrics over time: the text of scrapes, and what Prometheus answers when it is asked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::exposition::{self, Labelled};
use super::{Metrics, MetricsError, Scrapes, sample};
use crate::Stamped;
use crate::observation::Evidence;

/// The longest text that is taken for metrics, in bytes: a day of ten nodes at one scrape in 30 s has
/// some 30 MiB as JSON, and four times that as text.
pub const MAX_HISTORY_BYTES: usize = 128 << 20;

/// How many samples of ours one history may hold: that day's.
const MOST_SAMPLES: usize = 1 << 20;

/// Metrics, each with the time of the scrape where the text tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History {
    scrapes: BTreeMap<Option<Stamped>, Metrics>,
    samples: usize,
    passed_over: u64,
}

impl History {
    /// Whether a text that begins with `head` is one that [`Self::parse`] reads.
    #[must_use]
    pub fn looks_like(head: &str) -> bool {
        let head = head.trim_start_matches('\u{feff}').trim_start();
        if head.starts_with('{') && !head.starts_with("{__name__") {
            let close: String = head.chars().filter(|c| !c.is_whitespace()).take(200).collect();
            let marks = [
                "\"resultType\":\"matrix\"",
                "\"resultType\":\"vector\"",
                "\"result\":[{\"metric\":{",
            ];
            return marks.iter().any(|mark| close.contains(mark))
                || close.starts_with("{\"metric\":{");
        }
        let mut lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.next().is_some_and(|line| {
            line.starts_with("# HELP ")
                || line.starts_with("# TYPE ")
                || line.starts_with("{__name__")
                || (line.contains('{') && exposition::parse(line).is_ok_and(|line| line.is_some()))
                || query_head(line).is_some()
        })
    }

    /// Reads the text format with or without times, the answers of `promtool query` and
    /// `promtool tsdb dump`, an answer of Prometheus' HTTP API to `query` and `query_range`, and lines
    /// as `VictoriaMetrics` exports them. What is none of ours is passed over, and lines of another kind
    /// are counted.
    ///
    /// # Errors
    /// When it is too long, or its JSON is damaged.
    pub fn parse(text: &str) -> Result<Self, MetricsError> {
        if text.len() > MAX_HISTORY_BYTES {
            return Err(MetricsError::TooLong);
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut history = Self::default();
        if text.trim_start().starts_with('{') && !text.trim_start().starts_with("{__name__") {
            history.read_json(text)?;
        } else {
            history.read_text(text)?;
        }
        // An exporter of something else tells when it was started, too.
        history.scrapes.retain(|_, scrape| !scrape.samples.is_empty());
        Ok(history)
    }

    /// The scrapes in the order of time; first the one whose time is not told.
    #[must_use]
    pub const fn scrapes(&self) -> &BTreeMap<Option<Stamped>, Metrics> {
        &self.scrapes
    }

    /// Adds what another text tells: what it tells of the same time belongs to one scrape, and what has
    /// no time there was scraped at `untimed`.
    pub fn extend(&mut self, other: Self, untimed: Stamped) {
        for (at, metrics) in other.scrapes {
            let scrape = self.scrapes.entry(at.or(Some(untimed))).or_default();
            scrape.samples.extend(metrics.samples);
            scrape.starts.extend(metrics.starts);
            scrape.started = scrape.started.or(metrics.started);
        }
        self.samples += other.samples;
        self.passed_over += other.passed_over;
    }

    /// How far apart scrapes usually are: the median; `None` of a single one.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let times = self.scrapes.keys().flatten();
        let mut gaps: Vec<_> = times
            .clone()
            .zip(times.skip(1))
            .map(|(a, b)| a.as_nanos().abs_diff(b.as_nanos()))
            .collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().map(Duration::from_nanos)
    }

    /// The evidence in it, in the order of time, each with the time of its scrape; what has no time
    /// is left out.
    pub fn into_evidence(self) -> impl Iterator<Item = (Stamped, Evidence)> + Send {
        let mut scrapes = Scrapes::default();
        let mut rest = self.scrapes.into_iter();
        let mut now = None;
        std::iter::from_fn(move || {
            loop {
                if let Some(told) = now.zip(scrapes.poll_evidence()) {
                    return Some(told);
                }
                let (at, metrics) = rest.next()?;
                now = at;
                if let Some(at) = at {
                    scrapes.handle_metrics(&metrics, at);
                }
            }
        })
    }

    /// How many lines or samples could not be read.
    #[must_use]
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    fn push(
        &mut self,
        labelled: &Labelled<'_>,
        at: Option<Stamped>,
        line: u64,
    ) -> Result<(), MetricsError> {
        if labelled.name == "process_start_time_seconds" {
            self.scrapes.entry(at).or_default().note_start(labelled);
        }
        match sample(labelled, line) {
            Ok(Some(_)) if self.samples == MOST_SAMPLES => return Err(MetricsError::TooMany),
            Ok(Some(sample)) => {
                self.samples += 1;
                self.scrapes.entry(at).or_default().samples.push(sample);
            }
            Ok(None) => {}
            Err(_) => self.passed_over += 1,
        }
        Ok(())
    }

    fn read_text(&mut self, text: &str) -> Result<(), MetricsError> {
        // Of `promtool query`: whose the values are that follow.
        let mut series: Option<&str> = None;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if let Some((of, rest)) = query_head(text) {
                series = Some(of);
                if rest.is_empty() {
                    continue;
                }
                self.read_query_value(of, rest, line)?;
            } else if let (Some(of), Some(_)) = (series, query_value(text)) {
                self.read_query_value(of, text, line)?;
            } else {
                match exposition::parse(text) {
                    Ok(Some(labelled)) => self.push(&labelled, labelled.time(), line)?,
                    Ok(None) => {}
                    Err(_) => self.passed_over += 1,
                }
            }
        }
        Ok(())
    }

    fn read_query_value(&mut self, of: &str, text: &str, line: u64) -> Result<(), MetricsError> {
        let value = query_value(text);
        let labelled = exposition::series(of).ok().flatten();
        match (labelled, value) {
            (Some(labelled), Some((value, at))) => {
                self.push(&Labelled { value, ..labelled }, Some(at), line)?;
            }
            _ => self.passed_over += 1,
        }
        Ok(())
    }

    fn read_json(&mut self, text: &str) -> Result<(), MetricsError> {
        for document in serde_json::Deserializer::from_str(text).into_iter::<Document<'_>>() {
            let series = match document.map_err(|source| MetricsError::Json { source })? {
                Document::Answer { data } => data.result,
                Document::Series(series) => vec![series],
            };
            for series in series {
                let name = series.metric.get("__name__").cloned().unwrap_or_default();
                let labels: Vec<_> =
                    series.metric.iter().map(|(key, value)| (&**key, value.clone())).collect();
                let numbers = series.timestamps.iter().zip(&series.values);
                let exported = numbers.filter_map(|(millis, value)| match value {
                    Value::Number(number) => Some((*millis / 1e3, number.to_string())),
                    Value::Pair(..) => None,
                });
                let pairs = series.value.iter().chain(&series.values);
                let answered = pairs.filter_map(|value| match value {
                    Value::Pair(seconds, value) => Some((*seconds, value.to_string())),
                    Value::Number(_) => None,
                });
                for (seconds, value) in answered.chain(exported) {
                    let labelled = Labelled {
                        name: name.clone(),
                        labels: labels.clone(),
                        value: &value,
                        time: None,
                    };
                    self.push(&labelled, Some(seconds_since_1970(seconds)), 0)?;
                }
            }
        }
        Ok(())
    }
}

/// An answer of Prometheus, or a line of an export.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document<'a> {
    Answer {
        #[serde(borrow)]
        data: Data<'a>,
    },
    Series(#[serde(borrow)] Series<'a>),
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, default)]
    result: Vec<Series<'a>>,
}

#[derive(Deserialize)]
struct Series<'a> {
    #[serde(borrow, default)]
    metric: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<Value<'a>>,
    #[serde(borrow, default)]
    values: Vec<Value<'a>>,
    #[serde(default)]
    timestamps: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value<'a> {
    /// Seconds since 1970, and the number as text.
    Pair(f64, #[serde(borrow)] Cow<'a, str>),
    Number(serde_json::Number),
}

/// `name{…} =>` and what follows it.
fn query_head(line: &str) -> Option<(&str, &str)> {
    let (series, rest) = line.split_once(" =>")?;
    exposition::series(series).ok().flatten()?;
    Some((series, rest.trim()))
}

/// `1 @[1435781430.781]`
fn query_value(text: &str) -> Option<(&str, Stamped)> {
    let (value, at) = text.strip_suffix(']')?.split_once(" @[")?;
    Some((value.trim(), seconds_since_1970(at.parse().ok()?)))
}

/// To the millisecond, as Prometheus counts.
#[expect(clippy::cast_possible_truncation, reason = "a time that is none becomes the nearest one")]
pub(super) fn seconds_since_1970(seconds: f64) -> Stamped {
    Stamped::from_nanos(((seconds * 1e3).round() as i64).saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE openshift_ptp_clock_state gauge\n\
        openshift_ptp_clock_state{iface=\"ens1fx\",node=\"n1\",process=\"ptp4l\"} 1 1795847430000\n\
        openshift_ptp_clock_state{iface=\"ens1fx\",node=\"n1\",process=\"ptp4l\"} 0 1795847460000\n";
    const DUMP: &str = "{__name__=\"openshift_ptp_clock_state\", iface=\"ens1fx\", node=\"n1\", process=\"ptp4l\"} 1 1795847430000\n\
        {__name__=\"openshift_ptp_clock_state\", iface=\"ens1fx\", node=\"n1\", process=\"ptp4l\"} 0 1795847460000\n";
    const RANGE: &str = "openshift_ptp_clock_state{iface=\"ens1fx\", node=\"n1\", process=\"ptp4l\"} =>\n\
        1 @[1795847430]\n0 @[1795847460]\n";
    const API: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":
        {"__name__":"openshift_ptp_clock_state","iface":"ens1fx","node":"n1","process":"ptp4l"},
        "values":[[1795847430,"1"],[1795847460,"0"]]}]}}"#;
    const EXPORT: &str = r#"{"metric":{"__name__":"openshift_ptp_clock_state","iface":"ens1fx","node":"n1","process":"ptp4l"},"values":[1,0],"timestamps":[1795847430000,1795847460000]}"#;

    #[test]
    fn every_form_tells_the_same() {
        let wanted = History::parse(TEXT).unwrap();
        let values: Vec<_> = wanted
            .scrapes()
            .iter()
            .map(|(at, metrics)| (at.unwrap().to_string(), metrics.samples()[0].value))
            .collect();
        assert_eq!(
            values,
            [("2026-11-28T06:30:30Z".to_owned(), 1), ("2026-11-28T06:31:00Z".to_owned(), 0)]
        );
        for text in [TEXT, DUMP, RANGE, API, EXPORT] {
            assert!(History::looks_like(text), "{text}");
            assert_eq!(History::parse(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn an_instant_has_one_time_and_a_scrape_none() {
        let instant = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":
            {"__name__":"openshift_ptp_clock_class","node":"n1","process":"ptp4l"},
            "value":[1795847430.5,"6"]}]}}"#;
        let history = History::parse(instant).unwrap();
        let times: Vec<_> = history.scrapes().keys().flatten().map(ToString::to_string).collect();
        assert_eq!(times, ["2026-11-28T06:30:30.5Z"]);
        let scrape = "openshift_ptp_clock_class{node=\"n1\",process=\"ptp4l\"} 6\n<html>\n";
        let history = History::parse(scrape).unwrap();
        assert_eq!(history.scrapes().keys().collect::<Vec<_>>(), [&None]);
        assert_eq!(history.passed_over(), 1);
    }

    #[test]
    fn other_texts_are_not_taken_for_metrics() {
        for text in [
            "ptp4l[1.2]: port 1 (ens1f0): SLAVE to FAULTY",
            "{\"id\":\"1\"}",
            "",
            "# a title",
            "{\"data\":{\"values\":[]}}",
            // Loki's.
            "{\"status\":\"success\",\"data\":{\"resultType\":\"streams\",\"result\":[]}}",
            "one two three",
        ] {
            assert!(!History::looks_like(text), "{text}");
        }
        assert!(History::parse("{\"metric\":{}").is_err());
    }
}
