//! The words of SQL that matter to the analyser.

/// What a word may mean. Most mean something in certain places only: `index` is a kind of object
/// after `CREATE` and a name elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// No word of these.
    None,

    // Operations.
    Select,
    With,
    Insert,
    Update,
    Delete,
    Merge,
    Values,
    Create,
    Alter,
    Drop,
    /// Operations on a list of objects, the kind of which may be named: `TRUNCATE TABLE a, b`.
    Maintain,
    Analyze,
    /// Operations on one named thing: `CALL procedure`.
    One,
    Deallocate,
    Pragma,
    Copy,
    Explain,
    Prepare,
    Set,
    Grant,
    Load,
    Attach,
    Begin,
    /// `COMMIT`, `ROLLBACK` and the like.
    Transact,
    Savepoint,
    /// Operations whose objects are no part of a summary.
    Bare,

    // Kinds of objects.
    Table,
    Tables,
    View,
    Materialized,
    Index,
    /// Objects with a body of statements.
    Routine,
    /// Objects that have passwords.
    Account,
    /// Accounts, too, besides what ends a list of tables.
    Group,
    Database,
    System,
    Object,
    /// Objects without a plain name.
    Unnamed,
    Transaction,
    Data,

    // Clauses.
    From,
    Join,
    Using,
    Into,
    On,
    As,
    To,
    By,
    /// What ends a list of tables.
    End,
    /// What joins two queries.
    Union,

    // Smaller words.
    All,
    Distinct,
    Only,
    Lateral,
    If,
    Not,
    Exists,
    Concurrently,
    Or,
    /// What may stand between expressions.
    Operator,
    Priority,
    Temporary,
    File,
    Full,
    Recursive,
    Immediate,
    Default,
    Off,
    Boolean,
    Identified,
    Password,
    Key,
    Stdin,
}

/// No keyword is longer, in bytes.
const LONGEST: usize = 16;

/// A word of at most 16 bytes in lower case, as one number.
const fn packed(word: &[u8]) -> u128 {
    let mut number = 0;
    let mut at = 0;
    while at < word.len() {
        number = (number << 8) | word[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    number
}

/// How many places the table of keywords has: a power of two, enough to be mostly empty.
const PLACES: usize = 1_024;

/// A word as a number, and what it means; 0 where there is none.
type Place = (u128, Keyword);

/// Where a word has its place, or where the search for it begins.
#[inline]
const fn place(word: u128) -> usize {
    let folded = (word as u64) ^ ((word >> 64) as u64).rotate_left(29);
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % PLACES
}

const fn with(mut table: [Place; PLACES], word: &str, keyword: Keyword) -> [Place; PLACES] {
    assert!(word.len() <= LONGEST && word.len() > 1);
    let word = packed(word.as_bytes());
    let mut at = place(word);
    while table[at].0 != 0 {
        assert!(table[at].0 != word, "a word is there twice");
        at = (at + 1) % PLACES;
    }
    table[at] = (word, keyword);
    table
}

macro_rules! keywords {
    ($($($word:ident)+ => $keyword:ident;)+) => {{
        let table = [(0, Keyword::None); PLACES];
        $($(let table = with(table, stringify!($word), Keyword::$keyword);)+)+
        table
    }};
}

impl Keyword {
    /// The keyword that `word` is, in whatever case.
    pub(super) fn of(word: &[u8]) -> Self {
        let first = word.first().copied().unwrap_or(0);
        let lengths = LENGTHS.get(usize::from(first % 32)).copied().unwrap_or(0);
        if word.len() > LONGEST || lengths & (1 << word.len()) == 0 {
            return Self::None;
        }
        let word = packed(word);
        let mut at = place(word);
        loop {
            match KEYWORDS.get(at) {
                Some((known, keyword)) if *known == word => return *keyword,
                None | Some((0, _)) => return Self::None,
                Some(_) => at = (at + 1) % PLACES,
            }
        }
    }
}

static KEYWORDS: [Place; PLACES] = keywords! {
    SELECT => Select;
    WITH => With;
    INSERT REPLACE => Insert;
    UPDATE => Update;
    DELETE => Delete;
    MERGE => Merge;
    VALUES => Values;
    CREATE => Create;
    ALTER => Alter;
    DROP => Drop;
    TRUNCATE LOCK OPTIMIZE CHECK REPAIR CHECKSUM RENAME REINDEX VACUUM CLUSTER REFRESH
    DETACH => Maintain;
    ANALYZE ANALYSE => Analyze;
    CALL EXEC EXECUTE USE DESCRIBE DESC LISTEN UNLISTEN NOTIFY DECLARE => One;
    DEALLOCATE => Deallocate;
    PRAGMA => Pragma;
    COPY => Copy;
    EXPLAIN => Explain;
    PREPARE => Prepare;
    SET => Set;
    GRANT => Grant;
    LOAD => Load;
    ATTACH => Attach;
    BEGIN => Begin;
    START COMMIT ROLLBACK ABORT END RELEASE UNLOCK => Transact;
    SAVEPOINT => Savepoint;
    REVOKE SHOW COMMENT KILL FLUSH RESET DISCARD CHECKPOINT DO PURGE MOVE CLOSE XA
    => Bare;

    TABLE => Table;
    TABLES => Tables;
    VIEW => View;
    MATERIALIZED => Materialized;
    INDEX => Index;
    FUNCTION PROCEDURE TRIGGER EVENT => Routine;
    USER ROLE SERVER SUBSCRIPTION => Account;
    GROUP => Group;
    DATABASE => Database;
    SYSTEM => System;
    SEQUENCE SCHEMA TYPE DOMAIN EXTENSION POLICY PUBLICATION TABLESPACE COLLATION
    AGGREGATE RULE LANGUAGE STATISTICS CONVERSION PACKAGE => Object;
    OPERATOR CAST TRANSFORM ACCESS TEXT => Unnamed;
    TRANSACTION => Transaction;
    DATA XML => Data;

    FROM => From;
    JOIN STRAIGHT_JOIN => Join;
    USING => Using;
    INTO => Into;
    ON => On;
    AS => As;
    TO => To;
    BY => By;
    WHERE ORDER HAVING LIMIT OFFSET FETCH WINDOW RETURNING FOR WHEN DUPLICATE => End;
    UNION INTERSECT EXCEPT => Union;

    ALL => All;
    DISTINCT => Distinct;
    ONLY => Only;
    LATERAL => Lateral;
    IF => If;
    NOT => Not;
    EXISTS => Exists;
    CONCURRENTLY => Concurrently;
    OR => Or;
    AND IN IS LIKE ILIKE BETWEEN THEN ELSE COLLATE ESCAPE ASC GLOB REGEXP RLIKE DIV MOD XOR
    => Operator;
    IGNORE LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK => Priority;
    TEMP TEMPORARY UNLOGGED => Temporary;
    OUTFILE DUMPFILE => File;
    FULL FREEZE VERBOSE => Full;
    RECURSIVE => Recursive;
    IMMEDIATE => Immediate;
    DEFAULT => Default;
    OFF => Off;
    TRUE FALSE => Boolean;
    IDENTIFIED => Identified;
    PASSWORD => Password;
    KEY => Key;
    STDIN => Stdin;
};

/// By the last five bits of their first letter, which are the same in both cases: a bit for each
/// length that a keyword has.
static LENGTHS: [u32; 32] = {
    let mut lengths = [0; 32];
    let mut at = 0;
    while at < PLACES {
        let (mut word, _) = KEYWORDS[at];
        let mut length = 0;
        while word > u8::MAX as u128 {
            word >>= 8;
            length += 1;
        }
        if word != 0 {
            lengths[(word % 32) as usize] |= 1 << (length + 1);
        }
        at += 1;
    }
    lengths
};
