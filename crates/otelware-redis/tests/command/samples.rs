//! Samples of commands, made of what a server tells about their arguments (`COMMAND DOCS`).

use redis::Value;
use std::collections::HashMap;

/// A command's arguments as the server describes them.
#[derive(Debug)]
pub(crate) struct Description {
    /// The name, and the subcommand's where it is one.
    pub(crate) words: Vec<String>,
    arguments: Vec<Argument>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    kind: String,
    token: Option<String>,
    is_optional: bool,
    is_multiple: bool,
    repeats_token: bool,
    arguments: Vec<Argument>,
}

/// All commands and subcommands.
pub(crate) fn descriptions(docs: &Value) -> Vec<Description> {
    let mut found = Vec::new();
    for (name, description) in pairs(docs) {
        let description = fields(description);
        let subcommands = description.get("subcommands").map(|found| pairs(found));
        for (name, description) in subcommands.into_iter().flatten() {
            found.push(self::description(&name, &fields(description)));
        }
        found.push(self::description(&name, &description));
    }
    found
}

/// A sample that the numbers drawn decide on: which options there are, which alternative, and how
/// often something is repeated.
///
/// Keys are `key-…`, fields `field-…`; `name-…` is what names a thing as a key does, and all else
/// is `value-…` or a number.
pub(crate) fn sample(description: &Description, seed: u64) -> Vec<String> {
    let mut maker = Maker {
        words: description.words.clone(),
        drawn: seed,
        count: None,
    };
    maker.all(&description.arguments, None);
    maker.words
}

fn description(name: &str, description: &HashMap<String, &Value>) -> Description {
    Description {
        words: name.to_uppercase().split('|').map(str::to_owned).collect(),
        arguments: arguments(description),
    }
}

fn arguments(description: &HashMap<String, &Value>) -> Vec<Argument> {
    let Some(Value::Array(arguments)) = description.get("arguments") else {
        return Vec::new();
    };
    arguments
        .iter()
        .map(|found| argument(&fields(found)))
        .collect()
}

fn argument(description: &HashMap<String, &Value>) -> Argument {
    let get = |name: &str| description.get(name).map(|found| string(found));
    let flags: Vec<String> = match description.get("flags") {
        Some(Value::Array(flags) | Value::Set(flags)) => flags.iter().map(string).collect(),
        _ => Vec::new(),
    };
    let has = |flag: &str| flags.iter().any(|found| found == flag);
    Argument {
        name: get("name").unwrap(),
        kind: get("type").unwrap(),
        token: get("token"),
        is_optional: has("optional"),
        is_multiple: has("multiple"),
        repeats_token: has("multiple_token"),
        arguments: arguments(description),
    }
}

struct Maker {
    words: Vec<String>,
    drawn: u64,
    /// How many are announced.
    count: Option<u64>,
}

impl Maker {
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn = self
            .drawn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.drawn >> 33) % below
    }

    /// `together`: how often each is repeated, where that is the same for all.
    fn all(&mut self, arguments: &[Argument], together: Option<u64>) {
        for argument in arguments {
            // What is announced must be there.
            let is_announced = self.count.is_some() && argument.kind == "key";
            if argument.is_optional && !is_announced && self.draw(2) == 0 {
                continue;
            }
            let times = match (argument.is_multiple, together, self.count) {
                (false, ..) => 1,
                (true, Some(times), _) => times,
                (true, None, Some(count)) if argument.is_counted() => count,
                (true, None, _) => 1 + self.draw(3),
            };
            for time in 0..times {
                if time == 0 || argument.repeats_token {
                    self.words.extend(argument.token.clone());
                }
                self.one(argument);
            }
        }
    }

    fn one(&mut self, argument: &Argument) {
        let place = self.words.len();
        let word = match (argument.kind.as_str(), argument.name.as_str()) {
            ("pure-token", _) => return,
            ("block", _) => {
                let times = 1 + self.draw(3);
                return self.all(&argument.arguments, Some(times));
            }
            ("oneof", _) => {
                let chosen = self.draw(argument.arguments.len() as u64) as usize;
                let chosen = &argument.arguments[chosen..=chosen];
                return self.all(chosen, None);
            }
            (_, "numkeys" | "numfields") => {
                let count = 1 + self.draw(3);
                self.count = Some(count);
                count.to_string()
            }
            ("key", _) => format!("key-{place}"),
            ("integer" | "unix-time" | "double", _) => self.draw(1_000).to_string(),
            (_, "field") => format!("field-{place}"),
            (_, "sha1") => format!("{place:040x}"),
            (_, "function") => format!("function_{place}"),
            (_, "channel" | "shardchannel" | "pattern" | "key") => format!("name-{place}"),
            _ => format!("value-{place}"),
        };
        self.words.push(word);
    }
}

impl Argument {
    fn is_counted(&self) -> bool {
        self.kind == "key" || ["field", "weight"].contains(&self.name.as_str())
    }
}

fn fields(value: &Value) -> HashMap<String, &Value> {
    pairs(value).into_iter().collect()
}

fn pairs(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(flat) => flat
            .chunks_exact(2)
            .map(|pair| (string(&pair[0]), &pair[1]))
            .collect(),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(name, value)| (string(name), value))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn string(value: &Value) -> String {
    redis::from_redis_value_ref(value).unwrap()
}
