//! The commands of Redis 8, of its modules, and of Valkey: which arguments are keys, fields and
//! words. [`words!`] tells how to read it.

use super::shape::{Step, Word, step, steps, words};

/// Each once, in capitals.
pub(super) static COMMANDS: &[Word] = words! {
    // Strings
    "APPEND"(key)
    "DECR"(key)
    "DECRBY"(key)
    "DELEX"(key ["IFEQ"(value) "IFNE"(value) "IFDEQ"(value) "IFDNE"(value)])
    "DELIFEQ"(key)
    "DIGEST"(key)
    "GET"(key)
    "GETDEL"(key)
    "GETEX"(key ["EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value) "PERSIST"])
    "GETRANGE"(key)
    "GETSET"(key)
    "INCR"(key)
    "INCRBY"(key)
    "INCRBYFLOAT"(key)
    "INCREX"(key ["BYINT"(value) "BYFLOAT"(value) "SATURATE" "LBOUND"(value) "UBOUND"(value)
        "EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value) "PERSIST" "ENX"])
    "LCS"(key key ["LEN" "IDX" "MINMATCHLEN"(value) "WITHMATCHLEN"])
    "MGET"({key})
    "MSET"({key value})
    "MSETEX"(count key_values
        ["NX" "XX" "EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value) "KEEPTTL"])
    "MSETNX"({key value})
    "PSETEX"(key)
    "SET"(key value ["NX" "XX" "IFEQ"(value) "IFNE"(value) "IFDEQ"(value) "IFDNE"(value) "GET"
        "EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value) "KEEPTTL"])
    "SETEX"(key)
    "SETNX"(key)
    "SETRANGE"(key)
    "STRLEN"(key)
    "SUBSTR"(key)

    // Bits
    "BITCOUNT"(key value value ["BYTE" "BIT"])
    "BITFIELD"(key ["GET"(value value) "SET"(value value value) "INCRBY"(value value value)
        "OVERFLOW"(("WRAP" "SAT" "FAIL"))])
    "BITFIELD_RO"(key ["GET"(value value)])
    "BITOP"(("AND" "OR" "XOR" "NOT" "DIFF" "DIFF1" "ANDOR" "ONE") {key})
    "BITPOS"(key value value value ["BYTE" "BIT"])
    "GETBIT"(key)
    "SETBIT"(key)

    // HyperLogLog
    "PFADD"(key)
    "PFCOUNT"({key})
    "PFDEBUG"(("GETREG" "DECODE" "ENCODING" "TODENSE") key)
    "PFMERGE"({key})
    "PFSELFTEST"

    // Keys
    "COPY"(key key ["DB"(value) "REPLACE"])
    "DEL"({key})
    "DUMP"(key)
    "EXISTS"({key})
    "EXPIRE"(key value ["NX" "XX" "GT" "LT"])
    "EXPIREAT"(key value ["NX" "XX" "GT" "LT"])
    "EXPIRETIME"(key)
    "KEYS"
    "MIGRATE"(value value value value value
        ["COPY" "REPLACE" "AUTH"(value) "AUTH2"(value value) "KEYS"({value})])
    "MOVE"(key)
    "OBJECT"(["ENCODING"(key) "FREQ"(key) "IDLETIME"(key) "REFCOUNT"(key) "HELP"])
    "PERSIST"(key)
    "PEXPIRE"(key value ["NX" "XX" "GT" "LT"])
    "PEXPIREAT"(key value ["NX" "XX" "GT" "LT"])
    "PEXPIRETIME"(key)
    "PTTL"(key)
    "RANDOMKEY"
    "RENAME"(key key)
    "RENAMENX"(key key)
    "RESTORE"(key value value ["REPLACE" "ABSTTL" "IDLETIME"(value) "FREQ"(value)])
    "RESTORE-ASKING"(key value value ["REPLACE" "ABSTTL" "IDLETIME"(value) "FREQ"(value)])
    "SCAN"(value ["MATCH"(value) "COUNT"(value) "TYPE"(value)])
    "SORT"(key ["BY"(value) "LIMIT"(value value) "GET"(value) "ASC" "DESC" "ALPHA" "STORE"(key)])
    "SORT_RO"(key ["BY"(value) "LIMIT"(value value) "GET"(value) "ASC" "DESC" "ALPHA"])
    "TOUCH"({key})
    "TTL"(key)
    "TYPE"(key)
    "UNLINK"({key})

    // Hashes
    "HDEL"(key {field})
    "HEXISTS"(key field)
    "HEXPIRE"(key value ["NX" "XX" "GT" "LT" "FIELDS"(count fields)])
    "HEXPIREAT"(key value ["NX" "XX" "GT" "LT" "FIELDS"(count fields)])
    "HEXPIRETIME"(key ["FIELDS"(count fields)])
    "HGET"(key field)
    "HGETALL"(key)
    "HGETDEL"(key ["FIELDS"(count fields)])
    "HGETEX"(key ["EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value) "PERSIST"
        "FIELDS"(count fields)])
    "HINCRBY"(key field)
    "HINCRBYFLOAT"(key field)
    "HKEYS"(key)
    "HLEN"(key)
    "HMGET"(key {field})
    "HMSET"(key {field value})
    "HPERSIST"(key ["FIELDS"(count fields)])
    "HPEXPIRE"(key value ["NX" "XX" "GT" "LT" "FIELDS"(count fields)])
    "HPEXPIREAT"(key value ["NX" "XX" "GT" "LT" "FIELDS"(count fields)])
    "HPEXPIRETIME"(key ["FIELDS"(count fields)])
    "HPTTL"(key ["FIELDS"(count fields)])
    "HRANDFIELD"(key value ["WITHVALUES"])
    "HSCAN"(key value ["MATCH"(value) "COUNT"(value) "NOVALUES"])
    "HSET"(key {field value})
    "HSETEX"(key ["FNX" "FXX" "NX" "XX" "EX"(value) "PX"(value) "EXAT"(value) "PXAT"(value)
        "KEEPTTL" "FIELDS"(count pairs)])
    "HSETNX"(key field)
    "HSTRLEN"(key field)
    "HTTL"(key ["FIELDS"(count fields)])
    "HVALS"(key)

    // Lists
    "BLMOVE"(key key ("LEFT" "RIGHT") ("LEFT" "RIGHT"))
    "BLMPOP"(value count keys ("LEFT" "RIGHT") ["COUNT"(value)])
    "BLPOP"(leading_keys)
    "BRPOP"(leading_keys)
    "BRPOPLPUSH"(key key)
    "LINDEX"(key)
    "LINSERT"(key ("BEFORE" "AFTER"))
    "LLEN"(key)
    "LMOVE"(key key ("LEFT" "RIGHT") ("LEFT" "RIGHT"))
    "LMPOP"(count keys ("LEFT" "RIGHT") ["COUNT"(value)])
    "LPOP"(key)
    "LPOS"(key value ["RANK"(value) "COUNT"(value) "MAXLEN"(value)])
    "LPUSH"(key)
    "LPUSHX"(key)
    "LRANGE"(key)
    "LREM"(key)
    "LSET"(key)
    "LTRIM"(key)
    "RPOP"(key)
    "RPOPLPUSH"(key key)
    "RPUSH"(key)
    "RPUSHX"(key)

    // Sets
    "SADD"(key)
    "SCARD"(key)
    "SDIFF"({key})
    "SDIFFSTORE"({key})
    "SINTER"({key})
    "SINTERCARD"(count keys ["LIMIT"(value)])
    "SINTERSTORE"({key})
    "SISMEMBER"(key)
    "SMEMBERS"(key)
    "SMISMEMBER"(key)
    "SMOVE"(key key)
    "SPOP"(key)
    "SRANDMEMBER"(key)
    "SREM"(key)
    "SSCAN"(key value ["MATCH"(value) "COUNT"(value)])
    "SUNION"({key})
    "SUNIONSTORE"({key})

    // Sorted sets
    "BZMPOP"(value count keys ("MIN" "MAX") ["COUNT"(value)])
    "BZPOPMAX"(leading_keys)
    "BZPOPMIN"(leading_keys)
    "ZADD"(key ["NX" "XX" "GT" "LT" "CH" "INCR"])
    "ZCARD"(key)
    "ZCOUNT"(key)
    "ZDIFF"(count keys ["WITHSCORES"])
    "ZDIFFSTORE"(key count keys)
    "ZINCRBY"(key)
    "ZINTER"(count keys
        ["WEIGHTS"(values) "AGGREGATE"(("SUM" "MIN" "MAX" "COUNT")) "WITHSCORES"])
    "ZINTERCARD"(count keys ["LIMIT"(value)])
    "ZINTERSTORE"(key count keys ["WEIGHTS"(values) "AGGREGATE"(("SUM" "MIN" "MAX" "COUNT"))])
    "ZLEXCOUNT"(key)
    "ZMPOP"(count keys ("MIN" "MAX") ["COUNT"(value)])
    "ZMSCORE"(key)
    "ZPOPMAX"(key)
    "ZPOPMIN"(key)
    "ZRANDMEMBER"(key value ["WITHSCORES"])
    "ZRANGE"(key value value ["BYSCORE" "BYLEX" "REV" "LIMIT"(value value) "WITHSCORES"])
    "ZRANGEBYLEX"(key value value ["LIMIT"(value value)])
    "ZRANGEBYSCORE"(key value value ["WITHSCORES" "LIMIT"(value value)])
    "ZRANGESTORE"(key key value value ["BYSCORE" "BYLEX" "REV" "LIMIT"(value value)])
    "ZRANK"(key value ["WITHSCORE"])
    "ZREM"(key)
    "ZREMRANGEBYLEX"(key)
    "ZREMRANGEBYRANK"(key)
    "ZREMRANGEBYSCORE"(key)
    "ZREVRANGE"(key value value ["WITHSCORES"])
    "ZREVRANGEBYLEX"(key value value ["LIMIT"(value value)])
    "ZREVRANGEBYSCORE"(key value value ["WITHSCORES" "LIMIT"(value value)])
    "ZREVRANK"(key value ["WITHSCORE"])
    "ZSCAN"(key value ["MATCH"(value) "COUNT"(value)])
    "ZSCORE"(key)
    "ZUNION"(count keys
        ["WEIGHTS"(values) "AGGREGATE"(("SUM" "MIN" "MAX" "COUNT")) "WITHSCORES"])
    "ZUNIONSTORE"(key count keys ["WEIGHTS"(values) "AGGREGATE"(("SUM" "MIN" "MAX" "COUNT"))])

    // Places
    "GEOADD"(key ["NX" "XX" "CH"])
    "GEODIST"(key value value ("M" "KM" "FT" "MI"))
    "GEOHASH"(key)
    "GEOPOS"(key)
    "GEORADIUS"(key value value value ("M" "KM" "FT" "MI") ["WITHCOORD" "WITHDIST" "WITHHASH"
        "COUNT"(value ["ANY"]) "ASC" "DESC" "STORE"(key) "STOREDIST"(key)])
    "GEORADIUSBYMEMBER"(key value value ("M" "KM" "FT" "MI") ["WITHCOORD" "WITHDIST" "WITHHASH"
        "COUNT"(value ["ANY"]) "ASC" "DESC" "STORE"(key) "STOREDIST"(key)])
    "GEORADIUSBYMEMBER_RO"(key value value ("M" "KM" "FT" "MI")
        ["WITHCOORD" "WITHDIST" "WITHHASH" "COUNT"(value ["ANY"]) "ASC" "DESC"])
    "GEORADIUS_RO"(key value value value ("M" "KM" "FT" "MI")
        ["WITHCOORD" "WITHDIST" "WITHHASH" "COUNT"(value ["ANY"]) "ASC" "DESC"])
    "GEOSEARCH"(key ["FROMMEMBER"(value) "FROMLONLAT"(value value)
        "BYRADIUS"(value ("M" "KM" "FT" "MI")) "BYBOX"(value value ("M" "KM" "FT" "MI"))
        "ASC" "DESC" "COUNT"(value ["ANY"]) "WITHCOORD" "WITHDIST" "WITHHASH"])
    "GEOSEARCHSTORE"(key key ["FROMMEMBER"(value) "FROMLONLAT"(value value)
        "BYRADIUS"(value ("M" "KM" "FT" "MI")) "BYBOX"(value value ("M" "KM" "FT" "MI"))
        "ASC" "DESC" "COUNT"(value ["ANY"]) "STOREDIST"])

    // Streams
    "XACK"(key)
    "XACKDEL"(key value ["KEEPREF" "DELREF" "ACKED" "IDS"(count values)])
    "XADD"(key ["NOMKSTREAM" "KEEPREF" "DELREF" "ACKED" "IDMPAUTO"(value) "IDMP"(value value)
        "MAXLEN"(["=" "~"] value) "MINID"(["=" "~"] value) "LIMIT"(value)] ("*") {field value})
    "XAUTOCLAIM"(key value value value value ["COUNT"(value) "JUSTID"])
    "XCFGSET"(key ["IDMP-DURATION"(value) "IDMP-MAXSIZE"(value)])
    "XCLAIM"(key value value value value ["IDLE"(value) "TIME"(value) "RETRYCOUNT"(value) "FORCE"
        "JUSTID" "LASTID"(value)])
    "XDEL"(key)
    "XDELEX"(key ["KEEPREF" "DELREF" "ACKED" "IDS"(count values)])
    "XGROUP"(["CREATE"(key value ("$") ["MKSTREAM" "ENTRIESREAD"(value)])
        "CREATECONSUMER"(key value value) "DELCONSUMER"(key value value) "DESTROY"(key value)
        "SETID"(key value ("$") ["ENTRIESREAD"(value)]) "HELP"])
    "XINFO"(["CONSUMERS"(key value) "GROUPS"(key) "STREAM"(key ["FULL" "COUNT"(value)]) "HELP"])
    "XLEN"(key)
    "XNACK"(key value ["SILENT" "FAIL" "FATAL" "IDS"(count values) "RETRYCOUNT"(value) "FORCE"])
    "XPENDING"(key value ["IDLE"(value)])
    "XRANGE"(key ("-") ("+") ["COUNT"(value)])
    "XREAD"(["COUNT"(value) "BLOCK"(value) "STREAMS"(half_keys)])
    "XREADGROUP"(["GROUP"(value value) "COUNT"(value) "BLOCK"(value) "CLAIM"(value) "NOACK"
        "STREAMS"(half_keys)])
    "XREVRANGE"(key ("+") ("-") ["COUNT"(value)])
    "XSETID"(key value ["ENTRIESADDED"(value) "MAXDELETEDID"(value)])
    "XTRIM"(key ["MAXLEN"(["=" "~"] value) "MINID"(["=" "~"] value) "LIMIT"(value) "KEEPREF"
        "DELREF" "ACKED"])

    // Channels
    "PSUBSCRIBE"({key})
    "PUBLISH"(key)
    "PUBSUB"(["CHANNELS"(key) "NUMPAT" "NUMSUB"({key}) "SHARDCHANNELS"(key) "SHARDNUMSUB"({key})
        "HELP"])
    "PUNSUBSCRIBE"({key})
    "SPUBLISH"(key)
    "SSUBSCRIBE"({key})
    "SUBSCRIBE"({key})
    "SUNSUBSCRIBE"({key})
    "UNSUBSCRIBE"({key})

    // Transactions
    "DISCARD"
    "EXEC"
    "MULTI"
    "UNWATCH"
    "WATCH"({key})

    // Scripts and functions: what they are made of is a value
    "EVAL"(value count keys)
    "EVALSHA"(digest count keys)
    "EVALSHA_RO"(digest count keys)
    "EVAL_RO"(value count keys)
    "FCALL"(function count keys)
    "FCALL_RO"(function count keys)
    "FUNCTION"(["DELETE"(value) "DUMP" "FLUSH"(("ASYNC" "SYNC")) "KILL"
        "LIST"(["LIBRARYNAME"(value) "WITHCODE"]) "LOAD"(["REPLACE"] value)
        "RESTORE"(value ("FLUSH" "APPEND" "REPLACE")) "STATS" "HELP"])
    "SCRIPT"(["DEBUG"(("YES" "SYNC" "NO")) "EXISTS"({digest}) "FLUSH"(("ASYNC" "SYNC")) "KILL"
        "LOAD"(value) "SHOW"(digest) "HELP"])

    // Connections: nothing of a login is shown
    "ASKING"
    "AUTH"
    "CLIENT"(["CACHING"(("YES" "NO")) "CAPA"(value) "GETNAME" "GETREDIR" "ID" "INFO"
        "IMPORT-SOURCE"(("ON" "OFF")) "KILL"(["ID"(value) "TYPE"(("NORMAL" "MASTER" "SLAVE" "REPLICA" "PUBSUB"))
            "USER"(value) "ADDR"(value) "LADDR"(value) "SKIPME"(("YES" "NO")) "MAXAGE"(value)])
        "LIST"(["TYPE"(("NORMAL" "MASTER" "REPLICA" "PUBSUB")) "ID"({value})])
        "NO-EVICT"(("ON" "OFF")) "NO-TOUCH"(("ON" "OFF")) "PAUSE"(value ("WRITE" "ALL"))
        "REPLY"(("ON" "OFF" "SKIP")) "SETINFO"(("LIB-NAME" "LIB-VER") value) "SETNAME"(value)
        "TRACKING"(("ON" "OFF")
            ["REDIRECT"(value) "PREFIX"(value) "BCAST" "OPTIN" "OPTOUT" "NOLOOP"])
        "TRACKINGINFO" "UNBLOCK"(value ("TIMEOUT" "ERROR")) "UNPAUSE" "HELP"])
    "ECHO"
    "HELLO"(value ["AUTH"(value value) "SETNAME"(value)])
    "PING"
    "QUIT"
    "READONLY"
    "READWRITE"
    "RESET"
    "SELECT"

    // Servers
    "ACL"(["CAT"({value}) "DELUSER"({value}) "DRYRUN"({value}) "GENPASS"(value) "GETUSER"(value)
        "LIST" "LOAD" "LOG"(("RESET")) "SAVE" "SETUSER"({value}) "USERS" "WHOAMI" "HELP"])
    "BGREWRITEAOF"
    "BGSAVE"(["SCHEDULE" "CANCEL"])
    "COMMAND"(["COUNT" "DOCS"({value}) "GETKEYS"({value}) "GETKEYSANDFLAGS"({value})
        "INFO"({value}) "LIST"(["FILTERBY"(("MODULE" "ACLCAT" "PATTERN") value)]) "HELP"])
    "COMMANDLOG"(["GET"({value}) "LEN"(value) "RESET"(value) "HELP"])
    "CONFIG"(["GET"({value}) "RESETSTAT" "REWRITE" "SET"({value}) "HELP"])
    "DBSIZE"
    "DEBUG"(["OBJECT"(key) "SLEEP"({value}) "JMAP" "RELOAD" "SEGFAULT" "HELP"])
    "FAILOVER"(["TO"(value value) "FORCE" "ABORT" "TIMEOUT"(value)])
    "FLUSHALL"(("ASYNC" "SYNC"))
    "FLUSHDB"(("ASYNC" "SYNC"))
    "HOTKEYS"(["START"({value}) "GET" "STOP" "RESET" "HELP"])
    "INFO"
    "LASTSAVE"
    "LATENCY"(["DOCTOR" "GRAPH"(value) "HISTOGRAM"({value}) "HISTORY"(value) "LATEST"
        "RESET"({value}) "HELP"])
    "LOLWUT"(["VERSION"(value)])
    "MEMORY"(["DOCTOR" "MALLOC-STATS" "PURGE" "STATS" "USAGE"(key ["SAMPLES"(value)]) "HELP"])
    "MODULE"(["LIST" "LOAD"({value}) "LOADEX"(value ["CONFIG"(value value) "ARGS"({value})]) "UNLOAD"(value) "HELP"])
    "MONITOR"
    "PSYNC"
    "REPLCONF"
    "REPLICAOF"(["NO"(("ONE"))])
    "ROLE"
    "SAVE"
    "SHUTDOWN"(["NOSAVE" "SAVE" "NOW" "FORCE" "ABORT" "SAFE" "FAILOVER"])
    "SLAVEOF"(["NO"(("ONE"))])
    "SLOWLOG"(["GET"(value) "LEN" "RESET" "HELP"])
    "SWAPDB"
    "SYNC"
    "TIME"
    "WAIT"
    "WAITAOF"

    // Clusters and sentinels
    "CLUSTER"(["ADDSLOTS"({value}) "ADDSLOTSRANGE"({value}) "BUMPEPOCH"
        "COUNT-FAILURE-REPORTS"(value) "COUNTKEYSINSLOT"(value) "DELSLOTS"({value})
        "DELSLOTSRANGE"({value}) "FAILOVER"(("FORCE" "TAKEOVER")) "FLUSHSLOTS" "FORGET"(value)
        "GETKEYSINSLOT"(value value) "INFO" "KEYSLOT"(key) "LINKS" "MEET"({value})
        "MIGRATION"({value}) "MYID" "MYSHARDID" "NODES" "REPLICAS"(value) "REPLICATE"(value)
        "RESET"(("HARD" "SOFT")) "SAVECONFIG" "SET-CONFIG-EPOCH"(value)
        "SETSLOT"(value ("IMPORTING" "MIGRATING" "NODE" "STABLE") value) "SHARDS"
        "SLAVES"(value) "SLOT-STATS"({value}) "SLOTS" "HELP"])
    "SENTINEL"(["CKQUORUM"(value) "CONFIG"({value}) "DEBUG"({value}) "FAILOVER"(value)
        "FLUSHCONFIG" "GET-MASTER-ADDR-BY-NAME"(value) "INFO-CACHE"({value})
        "IS-MASTER-DOWN-BY-ADDR"({value}) "MASTER"(value) "MASTERS" "MONITOR"({value}) "MYID"
        "PENDING-SCRIPTS" "REMOVE"(value) "REPLICAS"(value) "RESET"(value) "SENTINELS"(value)
        "SET"({value}) "SIMULATE-FAILURE"({value}) "SLAVES"(value) "HELP"])
    "SFLUSH"
    "TRIMSLOTS"

    // Vector sets
    "VADD"(key ["REDUCE"(value)] ["FP32"(value) "VALUES"(count values)] value
        ["CAS" "NOQUANT" "Q8" "BIN" "EF"(value) "SETATTR"(value) "M"(value)])
    "VCARD"(key)
    "VDIM"(key)
    "VEMB"(key value ["RAW"])
    "VGETATTR"(key)
    "VINFO"(key)
    "VISMEMBER"(key)
    "VLINKS"(key value ["WITHSCORES"])
    "VRANDMEMBER"(key)
    "VRANGE"(key)
    "VREM"(key)
    "VSETATTR"(key)
    "VSIM"(key ["ELE"(value) "FP32"(value) "VALUES"(count values)]
        ["WITHSCORES" "WITHATTRIBS" "COUNT"(value) "EPSILON"(value) "EF"(value) "FILTER"(value)
            "FILTER-EF"(value) "TRUTH" "NOTHREAD"])

    // JSON: a path may have values in its filters
    "JSON.ARRAPPEND"(key)
    "JSON.ARRINDEX"(key)
    "JSON.ARRINSERT"(key)
    "JSON.ARRLEN"(key)
    "JSON.ARRPOP"(key)
    "JSON.ARRTRIM"(key)
    "JSON.CLEAR"(key)
    "JSON.DEBUG"(["MEMORY"(key) "DEPTH"(key) "FIELDS"(key) "HELP"])
    "JSON.DEL"(key)
    "JSON.FORGET"(key)
    "JSON.GET"(key ["INDENT"(value) "NEWLINE"(value) "SPACE"(value) "NOESCAPE"])
    "JSON.MERGE"(key)
    "JSON.MGET"(leading_keys)
    "JSON.MSET"({key value value})
    "JSON.NUMINCRBY"(key)
    "JSON.NUMMULTBY"(key)
    "JSON.NUMPOWBY"(key)
    "JSON.OBJKEYS"(key)
    "JSON.OBJLEN"(key)
    "JSON.RESP"(key)
    "JSON.SET"(key value value ["NX" "XX" "FPHA"(value)])
    "JSON.STRAPPEND"(key)
    "JSON.STRLEN"(key)
    "JSON.TOGGLE"(key)
    "JSON.TYPE"(key)

    // Probabilistic structures
    "BF.ADD"(key)
    "BF.CARD"(key)
    "BF.EXISTS"(key)
    "BF.INFO"(key ["CAPACITY" "SIZE" "FILTERS" "ITEMS" "EXPANSION"])
    "BF.INSERT"(key
        ["CAPACITY"(value) "ERROR"(value) "EXPANSION"(value) "NOCREATE" "NONSCALING"
            "ITEMS"({value})])
    "BF.LOADCHUNK"(key)
    "BF.MADD"(key)
    "BF.MEXISTS"(key)
    "BF.RESERVE"(key value value ["EXPANSION"(value) "NONSCALING"])
    "BF.SCANDUMP"(key)
    "CF.ADD"(key)
    "CF.ADDNX"(key)
    "CF.COUNT"(key)
    "CF.DEL"(key)
    "CF.EXISTS"(key)
    "CF.INFO"(key)
    "CF.INSERT"(key ["CAPACITY"(value) "NOCREATE" "ITEMS"({value})])
    "CF.INSERTNX"(key ["CAPACITY"(value) "NOCREATE" "ITEMS"({value})])
    "CF.LOADCHUNK"(key)
    "CF.MEXISTS"(key)
    "CF.RESERVE"(key value ["BUCKETSIZE"(value) "MAXITERATIONS"(value) "EXPANSION"(value)])
    "CF.SCANDUMP"(key)
    "CMS.INCRBY"(key)
    "CMS.INFO"(key)
    "CMS.INITBYDIM"(key)
    "CMS.INITBYPROB"(key)
    "CMS.MERGE"(key count keys ["WEIGHTS"(values)])
    "CMS.QUERY"(key)
    "TDIGEST.ADD"(key)
    "TDIGEST.BYRANK"(key)
    "TDIGEST.BYREVRANK"(key)
    "TDIGEST.CDF"(key)
    "TDIGEST.CREATE"(key ["COMPRESSION"(value)])
    "TDIGEST.INFO"(key)
    "TDIGEST.MAX"(key)
    "TDIGEST.MERGE"(key count keys ["COMPRESSION"(value) "OVERRIDE"])
    "TDIGEST.MIN"(key)
    "TDIGEST.QUANTILE"(key)
    "TDIGEST.RANK"(key)
    "TDIGEST.RESET"(key)
    "TDIGEST.REVRANK"(key)
    "TDIGEST.TRIMMED_MEAN"(key)
    "TOPK.ADD"(key)
    "TOPK.COUNT"(key)
    "TOPK.INCRBY"(key)
    "TOPK.INFO"(key)
    "TOPK.LIST"(key ["WITHCOUNT"])
    "TOPK.QUERY"(key)
    "TOPK.RESERVE"(key)

    // Search: the index only
    "FT.AGGREGATE"(key)
    "FT.ALIASADD"(key key)
    "FT.ALIASDEL"(key)
    "FT.ALIASUPDATE"(key key)
    "FT.ALTER"(key)
    "FT.CONFIG"(["GET"({value}) "SET"({value}) "HELP"({value})])
    "FT.CREATE"(key)
    "FT.CURSOR"(["READ"(key value ["COUNT"(value)]) "DEL"(key value) "GC"(key)])
    "FT.DICTADD"(key)
    "FT.DICTDEL"(key)
    "FT.DICTDUMP"(key)
    "FT.DROPINDEX"(key ["DD"])
    "FT.EXPLAIN"(key)
    "FT.EXPLAINCLI"(key)
    "FT.HYBRID"(key)
    "FT.INFO"(key)
    "FT.PROFILE"(key ["SEARCH" "HYBRID" "AGGREGATE" "LIMITED"])
    "FT.SEARCH"(key)
    "FT.SPELLCHECK"(key)
    "FT.SUGADD"(key)
    "FT.SUGDEL"(key)
    "FT.SUGGET"(key value ["FUZZY" "WITHSCORES" "WITHPAYLOADS" "MAX"(value)])
    "FT.SUGLEN"(key)
    "FT.SYNDUMP"(key)
    "FT.SYNUPDATE"(key)
    "FT.TAGVALS"(key)
    "FT._LIST"

    // Time series
    "TS.ADD"(key ("*") value ["RETENTION"(value) "ENCODING"(("COMPRESSED" "UNCOMPRESSED"))
        "CHUNK_SIZE"(value) "DUPLICATE_POLICY"(value) "ON_DUPLICATE"(value)
        "IGNORE"(value value) "LABELS"({field value})])
    "TS.ALTER"(key ["RETENTION"(value) "CHUNK_SIZE"(value) "DUPLICATE_POLICY"(value)
        "IGNORE"(value value) "LABELS"({field value})])
    "TS.CREATE"(key ["RETENTION"(value) "ENCODING"(("COMPRESSED" "UNCOMPRESSED"))
        "CHUNK_SIZE"(value) "DUPLICATE_POLICY"(value) "IGNORE"(value value)
        "LABELS"({field value})])
    "TS.CREATERULE"(key key ["AGGREGATION"])
    "TS.DECRBY"(key value ["TIMESTAMP"(("*")) "RETENTION"(value) "UNCOMPRESSED"
        "CHUNK_SIZE"(value) "LABELS"({field value})])
    "TS.DEL"(key)
    "TS.DELETERULE"(key key)
    "TS.GET"(key ["LATEST"])
    "TS.INCRBY"(key value ["TIMESTAMP"(("*")) "RETENTION"(value) "UNCOMPRESSED"
        "CHUNK_SIZE"(value) "LABELS"({field value})])
    "TS.INFO"(key ["DEBUG"])
    "TS.MADD"({key value value})
    "TS.MGET"(["LATEST" "WITHLABELS" "FILTER"({value})])
    "TS.MRANGE"(("-") ("+") ["LATEST" "WITHLABELS" "COUNT"(value) "FILTER"({value})])
    "TS.MREVRANGE"(("-") ("+") ["LATEST" "WITHLABELS" "COUNT"(value) "FILTER"({value})])
    "TS.QUERYINDEX"
    "TS.RANGE"(key ("-") ("+") ["LATEST" "COUNT"(value)])
    "TS.REVRANGE"(key ("-") ("+") ["LATEST" "COUNT"(value)])
};
