//! The sampler named by the environment.

use opentelemetry_sdk::trace::{Sampler, ShouldSample};

use super::environment::{Choices, Environment};

/// Which spans are sampled (specification, "Environment Variable Specification": `OTEL_TRACES_SAMPLER`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SamplerSettings {
    pub(super) root: RootSampler,
    /// Whether a parent's decision comes before the root sampler's.
    pub(super) parent_based: bool,
}

/// How spans without a parent are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RootSampler {
    AlwaysOn,
    AlwaysOff,
    /// The share of traces, from 0 to 1.
    Ratio(f64),
}

#[derive(Clone, Copy)]
enum Name {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

impl SamplerSettings {
    pub(super) fn read(environment: &mut Environment) -> Self {
        let choices = Choices::new(&[
            ("always_on", (Name::AlwaysOn, false)),
            ("always_off", (Name::AlwaysOff, false)),
            ("traceidratio", (Name::Ratio, false)),
            ("parentbased_always_on", (Name::AlwaysOn, true)),
            ("parentbased_always_off", (Name::AlwaysOff, true)),
            ("parentbased_traceidratio", (Name::Ratio, true)),
        ])
        .elsewhere(&["jaeger_remote", "parentbased_jaeger_remote", "xray"]);
        let (name, parent_based) = environment
            .choice("OTEL_TRACES_SAMPLER", &choices)
            .unwrap_or((Name::AlwaysOn, true));
        let root = match name {
            Name::AlwaysOn => RootSampler::AlwaysOn,
            Name::AlwaysOff => RootSampler::AlwaysOff,
            Name::Ratio => RootSampler::Ratio(ratio(environment)),
        };
        Self { root, parent_based }
    }

    /// Whether most spans are dropped, and without a look at their attributes: then it is cheaper
    /// to set them once a span records.
    pub(super) fn drops_most(self) -> bool {
        match self.root {
            RootSampler::AlwaysOn => false,
            RootSampler::AlwaysOff => true,
            RootSampler::Ratio(ratio) => ratio < 0.5,
        }
    }

    pub(super) fn build(self) -> Box<dyn ShouldSample> {
        let root = match self.root {
            RootSampler::AlwaysOn => Sampler::AlwaysOn,
            RootSampler::AlwaysOff => Sampler::AlwaysOff,
            RootSampler::Ratio(ratio) => Sampler::TraceIdRatioBased(ratio),
        };
        if self.parent_based {
            Sampler::parent_based(root).into()
        } else {
            Box::new(root)
        }
    }
}

fn ratio(environment: &mut Environment) -> f64 {
    let Some(value) = environment.text(ARGUMENT) else {
        return 1.0;
    };
    match value.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            environment.complain(ARGUMENT, &value, "is not a ratio", "a number from 0 to 1");
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, argument: &str) -> (SamplerSettings, Vec<String>) {
        let variables = [("OTEL_TRACES_SAMPLER", name), (ARGUMENT, argument)];
        let mut environment = Environment::from_iter(variables);
        let settings = SamplerSettings::read(&mut environment);
        (
            settings,
            environment
                .complaints()
                .iter()
                .map(ToString::to_string)
                .collect(),
        )
    }

    #[test]
    fn names() {
        let settings = |root, parent_based| SamplerSettings { root, parent_based };
        let table = [
            ("", "", settings(RootSampler::AlwaysOn, true)),
            ("always_on", "", settings(RootSampler::AlwaysOn, false)),
            ("ALWAYS_OFF", "", settings(RootSampler::AlwaysOff, false)),
            (
                "traceidratio",
                "0.25",
                settings(RootSampler::Ratio(0.25), false),
            ),
            ("traceidratio", "", settings(RootSampler::Ratio(1.0), false)),
            (
                "parentbased_always_on",
                "0.5",
                settings(RootSampler::AlwaysOn, true),
            ),
            (
                "parentbased_always_off",
                "",
                settings(RootSampler::AlwaysOff, true),
            ),
            (
                "parentbased_traceidratio",
                "0",
                settings(RootSampler::Ratio(0.0), true),
            ),
        ];
        for (name, argument, expected) in table {
            assert_eq!(
                read(name, argument),
                (expected, Vec::new()),
                "{name} {argument}"
            );
        }
    }

    #[test]
    fn wrong_values() {
        let default = SamplerSettings {
            root: RootSampler::AlwaysOn,
            parent_based: true,
        };
        let allowed = "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, \
                       parentbased_traceidratio";
        assert_eq!(
            read("sometimes", ""),
            (
                default,
                vec![format!(
                    r#"OTEL_TRACES_SAMPLER: "sometimes" is not known and is ignored; allowed: {allowed}"#
                )]
            )
        );
        assert_eq!(
            read("xray", ""),
            (
                default,
                vec![format!(
                    r#"OTEL_TRACES_SAMPLER: "xray" is known but not built in and is ignored; allowed: {allowed}"#
                )]
            )
        );
        for argument in ["1.5", "-1", "half", "NaN"] {
            assert_eq!(
                read("traceidratio", argument),
                (
                    SamplerSettings {
                        root: RootSampler::Ratio(1.0),
                        parent_based: false
                    },
                    vec![format!(
                        r#"OTEL_TRACES_SAMPLER_ARG: "{argument}" is not a ratio and is ignored; allowed: a number from 0 to 1"#
                    )]
                )
            );
        }
    }
}
