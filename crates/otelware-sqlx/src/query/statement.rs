//! What the tokens of a statement are there for: a small state machine with one level per
//! parenthesis, that knows where operations, tables and other names stand.

use super::Dialect;
use super::ctes::Ctes;
use super::keyword::Keyword;
use super::lexer::Kind;
use super::summary::Summary;

/// Parentheses nested deeper than this have no part in the summary.
const DEEPEST: usize = 64;

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The beginning of a statement or, in parentheses, of what may be a query.
    Start,
    /// The statement that `EXPLAIN` explains, after its options.
    Explained,
    /// The other half of a `UNION`.
    OtherHalf,
    /// `TABLE`, `INDEX`, … after `CREATE`, `ALTER` or `DROP`.
    KindOfObject,
    /// The kind of an object, if it is named, else its name.
    KindOrTarget,
    /// No more than a word that belongs to the operation: `BEGIN TRANSACTION`.
    SecondWord,
    /// A table or another target.
    Target,
    /// A word between the operation and its target, which is not skipped over but left out with
    /// the word after it: `INSERT OR REPLACE INTO t`.
    Or,
    /// After a target, the name of which may go on with a dot.
    AfterTarget,
    /// The second part of a target's name.
    TargetDot,
    /// A name that is no target: of a column.
    Name,
    /// The `FROM` of a `DELETE` or the `INTO` of a `LOAD`.
    BeforeTarget,
    CteName,
    AfterCteName,
    CteBody,
    AfterCte,
    /// Expressions and clauses.
    Body,
    /// Nothing that matters, up to the end of the statement or the parenthesis.
    Rest,
}

/// What a comma leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    None,
    Targets,
    Names,
}

/// The operation that a level belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    None,
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    /// `CREATE TABLE` and the like, which may have a query after `AS`.
    Define,
    /// Other definitions, of which nothing but the target counts.
    DefineOther,
    Drop,
    Maintain,
    Copy,
    Load,
    One,
    /// The body of a common table expression, before its operation is known.
    Cte,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    state: State,
    list: List,
    operation: Operation,
    joined: bool,
}

impl Level {
    const fn new(state: State, list: List, operation: Operation) -> Self {
        Self {
            state,
            list,
            operation,
            joined: false,
        }
    }
}

const START: Level = Level::new(State::Start, List::None, Operation::None);
const REST: Level = Level::new(State::Rest, List::None, Operation::None);

/// The statements of a text, token by token.
#[derive(Debug)]
pub(super) struct Statements<'a> {
    dialect: Dialect,
    pub(super) summary: Summary,
    ctes: Ctes<'a>,
    levels: [Level; DEEPEST],
    depth: usize,
    /// The word before, unless something else came between.
    previous: Keyword,
    /// The name of a common table expression that stood where a table would.
    left_out: Option<&'a str>,
    recursive: bool,
    has_body: bool,
}

impl<'a> Statements<'a> {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            summary: Summary::default(),
            ctes: Ctes::default(),
            levels: [START; DEEPEST],
            depth: 0,
            previous: Keyword::None,
            left_out: None,
            recursive: false,
            has_body: false,
        }
    }

    #[inline]
    fn level(&self) -> Level {
        self.levels.get(self.depth).copied().unwrap_or(REST)
    }

    fn update(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.levels.get_mut(self.depth) {
            change(level);
        }
    }

    fn go(&mut self, state: State) {
        self.update(|level| level.state = state);
    }

    /// Whether a name stands at this place, rather than an expression.
    pub(super) fn expects_name(&self) -> bool {
        self.previous == Keyword::As
            || matches!(
                self.level().state,
                State::Target
                    | State::KindOrTarget
                    | State::TargetDot
                    | State::Name
                    | State::CteName
            )
    }

    /// Whether the next word is the target of an operation.
    pub(super) fn expects_target(&self) -> bool {
        matches!(self.level().state, State::Target | State::TargetDot)
    }

    /// A token that is neither space nor comment. A literal is the same here as a parameter.
    pub(super) fn token(&mut self, kind: Kind, keyword: Keyword, text: &'a str) {
        match kind {
            Kind::Space | Kind::Comment | Kind::Executable => return,
            Kind::Word => self.word(keyword, text),
            Kind::Name | Kind::NameOrText => self.word(Keyword::None, text),
            Kind::Text | Kind::Number | Kind::Parameter | Kind::Equals | Kind::Other => {
                self.operand();
            }
            Kind::Open => self.open(),
            Kind::Close => self.close(),
            Kind::Comma => self.comma(),
            Kind::Dot => self.dot(),
            Kind::Semicolon => self.end_statement(),
        }
        self.previous = match kind {
            Kind::Word => keyword,
            _ => Keyword::None,
        };
    }

    fn word(&mut self, keyword: Keyword, text: &'a str) {
        match self.level().state {
            State::Start => self.start(keyword, text),
            State::Explained => self.explained(keyword, text),
            State::OtherHalf => self.other_half(keyword, text),
            State::KindOfObject => self.kind_of_object(keyword, text),
            State::KindOrTarget => self.kind_or_target(keyword, text),
            State::SecondWord => {
                if matches!(
                    keyword,
                    Keyword::Transaction | Keyword::Savepoint | Keyword::Tables | Keyword::Database
                ) {
                    self.summary.push(text);
                }
                self.go(State::Rest);
            }
            State::Target => self.target(keyword, text),
            State::Or => self.go(State::Target),
            State::TargetDot => {
                if let Some(schema) = self.left_out.take() {
                    self.summary.push(schema);
                }
                self.summary.extend(text);
                self.go(State::AfterTarget);
            }
            State::Name => {
                self.go(State::Body);
                if matches!(keyword, Keyword::Select | Keyword::With) {
                    self.start(keyword, text);
                }
            }
            State::BeforeTarget => match keyword {
                Keyword::From => self.targets(),
                Keyword::Into => self.go(State::Target),
                Keyword::Data if self.previous == Keyword::Load => self.summary.push(text),
                _ => {}
            },
            State::CteName => {
                if keyword == Keyword::Recursive && self.previous == Keyword::With {
                    self.recursive = true;
                } else {
                    let recursive = self.recursive || self.dialect == Dialect::Sqlite;
                    self.ctes.add(text, self.depth, recursive);
                    self.go(State::AfterCteName);
                }
            }
            State::AfterCteName => {
                if keyword == Keyword::As {
                    self.go(State::CteBody);
                }
            }
            State::CteBody => {}
            State::AfterCte => {
                if opens_statement(keyword) {
                    self.start(keyword, text);
                }
            }
            State::AfterTarget | State::Body => {
                self.after_target();
                if self.level().state == State::Body {
                    self.clause(keyword, text);
                }
            }
            State::Rest => {
                if keyword == Keyword::Begin && self.has_body {
                    // The statements of the body are not those of the text.
                    self.summary.close();
                }
            }
        }
    }

    /// The target's name is complete.
    fn after_target(&mut self) {
        if self.level().state == State::AfterTarget {
            self.left_out = None;
            self.go(match self.level().operation {
                Operation::DefineOther => State::Rest,
                _ => State::Body,
            });
        }
    }

    /// An operation begins.
    fn begin(&mut self, text: &str, state: State, list: List, operation: Operation) {
        self.summary.push(text);
        self.update(|level| *level = Level::new(state, list, operation));
    }

    fn start(&mut self, keyword: Keyword, text: &'a str) {
        let level = self.level();
        if keyword == Keyword::Select {
            return self.begin(text, State::Body, List::None, Operation::Select);
        }
        if keyword == Keyword::With {
            self.recursive = false;
            return self.go(State::CteName);
        }
        if self.depth > 0 && level.operation != Operation::Cte {
            if level.list == List::Targets && keyword != Keyword::Values {
                self.go(State::Target);
                return self.target(keyword, text);
            }
            self.go(State::Body);
            return self.clause(keyword, text);
        }
        use {List as L, Operation as O, State as S};
        match keyword {
            Keyword::Insert => self.begin(text, S::Target, L::None, O::Insert),
            Keyword::Update => self.begin(text, S::Target, L::Targets, O::Update),
            Keyword::Delete => self.begin(text, S::BeforeTarget, L::None, O::Delete),
            Keyword::Merge => self.begin(text, S::Target, L::None, O::Merge),
            _ if self.depth > 0 => self.go(S::Body),
            Keyword::Values => self.begin(text, S::Body, L::None, O::None),
            Keyword::Table => self.begin(text, S::Target, L::None, O::One),
            Keyword::Create => self.begin(text, S::KindOfObject, L::None, O::Define),
            Keyword::Alter => self.begin(text, S::KindOfObject, L::None, O::DefineOther),
            Keyword::Drop => self.begin(text, S::KindOfObject, L::Targets, O::Drop),
            Keyword::Maintain | Keyword::Analyze => {
                self.begin(text, S::KindOrTarget, L::Targets, O::Maintain);
            }
            Keyword::One | Keyword::Deallocate | Keyword::Pragma => {
                self.begin(text, S::Target, L::None, O::One);
            }
            Keyword::Copy => self.begin(text, S::Target, L::None, O::Copy),
            Keyword::Load => self.begin(text, S::BeforeTarget, L::None, O::Load),
            Keyword::Prepare => self.begin(text, S::Target, L::None, O::Define),
            Keyword::Explain => self.begin(text, S::Explained, L::None, O::None),
            Keyword::Set => self.begin(text, S::Body, L::None, O::None),
            Keyword::Begin | Keyword::Transact | Keyword::Attach => {
                self.begin(text, S::SecondWord, L::None, O::None);
            }
            Keyword::Grant | Keyword::Bare | Keyword::Savepoint => {
                self.begin(text, S::Rest, L::None, O::None);
            }
            // `FETCH` is a clause elsewhere.
            Keyword::End if text.eq_ignore_ascii_case("fetch") => {
                self.begin(text, S::Rest, L::None, O::None);
            }
            _ => self.go(S::Rest),
        }
    }

    fn explained(&mut self, keyword: Keyword, text: &'a str) {
        if opens_statement(keyword) {
            self.go(State::Start);
            self.start(keyword, text);
        }
    }

    fn other_half(&mut self, keyword: Keyword, text: &'a str) {
        match keyword {
            Keyword::All | Keyword::Distinct => {}
            Keyword::Select | Keyword::With => self.start(keyword, text),
            Keyword::Table => self.go(State::Target),
            _ => self.go(State::Body),
        }
    }

    fn kind_of_object(&mut self, keyword: Keyword, text: &'a str) {
        let operation = self.level().operation;
        let is_alter = operation == Operation::DefineOther;
        let is_create = operation == Operation::Define;
        let (state, operation) = match keyword {
            Keyword::Materialized => (State::KindOfObject, operation),
            Keyword::Table if !is_alter => (State::Target, operation),
            Keyword::View if !is_alter => (State::Target, operation),
            // `ALTER VIEW v AS SELECT …`
            Keyword::View => (State::Target, Operation::Define),
            Keyword::Routine => {
                self.has_body = is_create;
                (State::Target, Operation::DefineOther)
            }
            Keyword::Table
            | Keyword::Index
            | Keyword::Account
            | Keyword::Group
            | Keyword::Database
            | Keyword::Object
            | Keyword::Prepare => (State::Target, Operation::DefineOther),
            Keyword::System | Keyword::Unnamed => (State::Rest, Operation::None),
            // `ALTER DEFAULT PRIVILEGES IN SCHEMA …`
            Keyword::Default => return self.go(State::Rest),
            _ => return,
        };
        self.summary.push(text);
        self.update(|level| {
            level.state = state;
            if level.operation != Operation::Drop {
                level.operation = operation;
            }
        });
    }

    fn kind_or_target(&mut self, keyword: Keyword, text: &'a str) {
        match keyword {
            Keyword::Table
            | Keyword::Tables
            | Keyword::View
            | Keyword::Index
            | Keyword::Database
            | Keyword::System
            | Keyword::Account
            | Keyword::Object => {
                self.summary.push(text);
                self.go(State::Target);
            }
            Keyword::Materialized => self.summary.push(text),
            _ => self.target(keyword, text),
        }
    }

    /// Targets, separated by commas.
    fn targets(&mut self) {
        self.update(|level| {
            level.state = State::Target;
            level.list = List::Targets;
        });
    }

    fn target(&mut self, keyword: Keyword, text: &'a str) {
        let operation = self.level().operation;
        match keyword {
            Keyword::Select => return self.start(keyword, text),
            // The target is missing.
            Keyword::End | Keyword::Group | Keyword::Union | Keyword::Set => {
                self.go(State::Body);
                return self.clause(keyword, text);
            }
            Keyword::File | Keyword::Immediate => return self.go(State::Body),
            Keyword::Or if matches!(operation, Operation::Insert | Operation::Update) => {
                return self.go(State::Or);
            }
            _ if is_left_out(keyword, operation, self.previous) => return,
            _ => {}
        }
        if self.ctes.contains(text) {
            self.left_out = Some(text);
        } else {
            self.summary.push(text);
        }
        self.go(State::AfterTarget);
    }

    /// A word where expressions and clauses stand.
    fn clause(&mut self, keyword: Keyword, text: &'a str) {
        let level = self.level();
        let operation = level.operation;
        match keyword {
            Keyword::Select => self.start(keyword, text),
            Keyword::From if self.previous != Keyword::Distinct => {
                if matches!(
                    operation,
                    Operation::Select | Operation::Update | Operation::Delete
                ) {
                    self.targets();
                }
            }
            Keyword::Join if level.list == List::Targets => {
                self.update(|level| {
                    level.state = State::Target;
                    level.joined = true;
                });
            }
            // After a join, it names the columns.
            Keyword::Using if !level.joined => {
                if matches!(operation, Operation::Delete | Operation::Merge) {
                    self.targets();
                }
            }
            Keyword::Into if operation == Operation::Select => self.update(|level| {
                level.state = State::Target;
                level.list = List::None;
            }),
            Keyword::End | Keyword::Group | Keyword::Values => {
                self.update(|level| level.list = List::None);
            }
            Keyword::Union => self.update(|level| {
                level.state = State::OtherHalf;
                level.list = List::None;
            }),
            Keyword::Set => {
                if matches!(
                    operation,
                    Operation::Insert | Operation::Update | Operation::Merge | Operation::Select
                ) {
                    self.update(|level| {
                        level.state = State::Name;
                        level.list = List::Names;
                    });
                }
            }
            Keyword::As if operation == Operation::Define => self.go(State::Start),
            Keyword::With if operation == Operation::Insert && level.list == List::None => {
                self.start(keyword, text);
            }
            _ => {}
        }
    }

    /// A literal, a parameter or an operator.
    fn operand(&mut self) {
        self.after_target();
        match self.level().state {
            State::Start if self.depth == 0 => self.go(State::Rest),
            State::Start
            | State::OtherHalf
            | State::Target
            | State::TargetDot
            | State::KindOrTarget
            | State::Name
            | State::Or => {
                self.left_out = None;
                let operation = self.level().operation;
                self.go(match operation {
                    Operation::DefineOther => State::Rest,
                    _ => State::Body,
                });
            }
            State::SecondWord => self.go(State::Rest),
            State::CteName => self.go(State::AfterCteName),
            _ => {}
        }
    }

    fn open(&mut self) {
        use {List as L, Operation as O, State as S};
        let level = self.level();
        let in_targets = Level::new(S::Start, L::Targets, O::Select);
        let in_names = Level::new(S::Name, L::Names, O::None);
        let inner = match level.state {
            S::Rest | S::KindOfObject | S::SecondWord | S::BeforeTarget => REST,
            S::Target | S::KindOrTarget if level.operation == O::Maintain => REST,
            S::Target => {
                self.go(S::AfterTarget);
                match level.operation {
                    O::Select | O::Update | O::Delete | O::Merge => in_targets,
                    _ => START,
                }
            }
            S::Start if level.list == L::Targets => {
                self.go(S::AfterTarget);
                in_targets
            }
            S::AfterTarget => match level.operation {
                O::Insert | O::Define => in_names,
                O::DefineOther => REST,
                _ => START,
            },
            S::AfterCteName => in_names,
            S::CteBody => {
                self.go(S::AfterCte);
                Level::new(S::Start, L::None, O::Cte)
            }
            S::Start | S::OtherHalf => {
                self.go(S::Body);
                START
            }
            _ => START,
        };
        self.after_target();
        self.depth += 1;
        self.update(|level| *level = inner);
    }

    fn close(&mut self) {
        self.left_out = None;
        if self.depth > 0 {
            self.depth -= 1;
            if self.level().state == State::AfterCte {
                self.ctes.show(self.depth);
            }
        }
    }

    fn comma(&mut self) {
        self.after_target();
        let level = self.level();
        match (level.state, level.list) {
            (State::AfterCte, _) => self.go(State::CteName),
            (State::Body | State::Target, List::Targets) => self.go(State::Target),
            (State::Body | State::Name, List::Names) => self.go(State::Name),
            (State::Start, _) => self.operand(),
            _ => {}
        }
    }

    fn dot(&mut self) {
        match self.level().state {
            State::AfterTarget => self.go(State::TargetDot),
            _ => self.operand(),
        }
    }

    fn end_statement(&mut self) {
        self.summary.end_statement();
        self.ctes.clear();
        self.depth = 0;
        self.left_out = None;
        self.has_body = false;
        self.update(|level| *level = START);
    }
}

/// Whether a statement within another may begin with this word: what is explained, or what
/// follows common table expressions.
fn opens_statement(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Select
            | Keyword::With
            | Keyword::Insert
            | Keyword::Update
            | Keyword::Delete
            | Keyword::Merge
            | Keyword::Values
            | Keyword::Create
            | Keyword::Table
    )
}

/// Whether this word stands between an operation and its target.
fn is_left_out(keyword: Keyword, operation: Operation, previous: Keyword) -> bool {
    match keyword {
        Keyword::Only | Keyword::Lateral => true,
        Keyword::If | Keyword::Not | Keyword::Exists | Keyword::Concurrently | Keyword::On => {
            matches!(
                operation,
                Operation::Define | Operation::DefineOther | Operation::Drop | Operation::Maintain
            )
        }
        Keyword::Into => matches!(
            operation,
            Operation::Insert | Operation::Merge | Operation::Maintain
        ),
        Keyword::Priority => {
            previous != Keyword::Into && matches!(operation, Operation::Insert | Operation::Update)
        }
        Keyword::Full | Keyword::Analyze => operation == Operation::Maintain,
        Keyword::Temporary => previous == Keyword::Into,
        Keyword::Table => {
            (operation == Operation::Select
                && matches!(previous, Keyword::Into | Keyword::Temporary))
                || operation == Operation::Load
        }
        Keyword::Prepare => previous == Keyword::Deallocate,
        _ => false,
    }
}
