//! What is in `deploy`.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn read(name: &str) -> String {
    let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana/shop.json")).unwrap()
}

fn rules() -> [Value; 2] {
    ["prometheus/recording.yaml", "prometheus/alerts.yaml"].map(yaml)
}

pub(crate) fn collector() -> Value {
    yaml("collector.yaml")
}

/// All objects within a value, itself among them.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    match value {
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        Value::Object(fields) => {
            let within = fields.values().flat_map(objects);
            std::iter::once(fields).chain(within).collect()
        }
        _ => Vec::new(),
    }
}

/// The texts of a field, wherever it is.
fn texts(value: &Value, field: &str) -> BTreeSet<String> {
    let texts = objects(value)
        .into_iter()
        .filter_map(|fields| fields.get(field)?.as_str());
    texts.map(str::to_owned).collect()
}

/// All expressions of the dashboard and the rules.
pub(crate) fn expressions() -> BTreeSet<String> {
    let dashboard = dashboard();
    let mut all = texts(&dashboard, "expr");
    all.extend(rules().iter().flat_map(|rules| texts(rules, "expr")));
    // What the dashboard can be narrowed to.
    all.extend(texts(&dashboard["templating"], "query"));
    all
}

/// The names of the series that rules record.
pub(crate) fn recorded() -> BTreeSet<String> {
    rules()
        .iter()
        .flat_map(|rules| texts(rules, "record"))
        .collect()
}

/// The dashboard's expressions with their legends.
pub(crate) fn legends() -> Vec<(String, String)> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    objects(&dashboard())
        .into_iter()
        .filter_map(|target| {
            Some((
                text(target.get("expr")?)?,
                text(target.get("legendFormat")?)?,
            ))
        })
        .collect()
}

pub(crate) fn alerts() -> BTreeSet<String> {
    rules()
        .iter()
        .flat_map(|rules| texts(rules, "alert"))
        .collect()
}

/// The alerts that fire in a test.
pub(crate) fn tested_alerts() -> BTreeSet<String> {
    let tests = yaml("prometheus/alerts.test.yaml");
    objects(&tests)
        .into_iter()
        .filter(|test| test.contains_key("exp_alerts"))
        .filter_map(|test| Some(test.get("alertname")?.as_str()?.to_owned()))
        .collect()
}
