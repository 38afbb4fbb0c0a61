//! The names of the OpenTelemetry semantic conventions, version 1.45.0, that this family emits.
//!
//! Every crate of the family takes its attribute keys, metric names, known values and bucket
//! boundaries from here and from nowhere else, so that a rename in the conventions is a change
//! of one line.

/// The schema that every instrumentation scope of the family declares.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

/// Attribute keys.
pub mod attribute {
    /// Host part of the client's address, behind all trusted proxies.
    pub const CLIENT_ADDRESS: &str = "client.address";
    /// Port of the client.
    pub const CLIENT_PORT: &str = "client.port";
    /// Class of the error that ended the operation; low cardinality.
    pub const ERROR_TYPE: &str = "error.type";
    /// Message of an exception.
    pub const EXCEPTION_MESSAGE: &str = "exception.message";
    /// Type of an exception.
    pub const EXCEPTION_TYPE: &str = "exception.type";
    /// Bytes of the request's payload.
    pub const HTTP_REQUEST_BODY_SIZE: &str = "http.request.body.size";
    /// Prefix of captured request headers; the lower-case name follows after a dot.
    pub const HTTP_REQUEST_HEADER: &str = "http.request.header";
    /// The request's method, or `_OTHER`.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// The method as sent, when it is not one of the known ones.
    pub const HTTP_REQUEST_METHOD_ORIGINAL: &str = "http.request.method_original";
    /// Ordinal of a resent request, from 1.
    pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
    /// Bytes of the response's payload.
    pub const HTTP_RESPONSE_BODY_SIZE: &str = "http.response.body.size";
    /// Prefix of captured response headers; the lower-case name follows after a dot.
    pub const HTTP_RESPONSE_HEADER: &str = "http.response.header";
    /// Status code of the response.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// The matched route template.
    pub const HTTP_ROUTE: &str = "http.route";
    /// Id of a Kafka cluster.
    pub const KAFKA_CLUSTER_ID: &str = "kafka.cluster.id";
    /// Key of a message, where it is text.
    pub const KAFKA_MESSAGE_KEY: &str = "kafka.message.key";
    /// Whether a message has no value.
    pub const KAFKA_MESSAGE_TOMBSTONE: &str = "kafka.message.tombstone";
    /// Place of a message in its partition.
    pub const KAFKA_OFFSET: &str = "kafka.offset";
    /// Id of a broker of a Kafka cluster. Not in the conventions, as all below.
    pub const KAFKA_BROKER_ID: &str = "otelware.kafka.broker.id";
    /// Name of a client of Kafka within its process, such as `rdkafka#producer-1`.
    pub const KAFKA_CLIENT_NAME: &str = "otelware.kafka.client.name";
    /// What a change of a consumer's assignment is: `assign`, `revoke` or `error`.
    pub const KAFKA_ASSIGNMENT_CHANGE: &str = "otelware.kafka.assignment.change";
    /// Id of a producer's transactions.
    pub const KAFKA_TRANSACTION_ID: &str = "otelware.kafka.transaction.id";
    /// What the error of a transaction's step calls for: `abort`, `retry` or `restart`.
    pub const KAFKA_TRANSACTION_REMEDY: &str = "otelware.kafka.transaction.remedy";
    /// Number of messages of a batch.
    pub const MESSAGING_BATCH_MESSAGE_COUNT: &str = "messaging.batch.message_count";
    /// Id of a client of a message broker.
    pub const MESSAGING_CLIENT_ID: &str = "messaging.client.id";
    /// Group that a consumer belongs to.
    pub const MESSAGING_CONSUMER_GROUP_NAME: &str = "messaging.consumer.group.name";
    /// Whether a destination is nameless, or has a name that the broker made.
    pub const MESSAGING_DESTINATION_ANONYMOUS: &str = "messaging.destination.anonymous";
    /// Where a message goes to or comes from.
    pub const MESSAGING_DESTINATION_NAME: &str = "messaging.destination.name";
    /// Partition of a destination.
    pub const MESSAGING_DESTINATION_PARTITION_ID: &str = "messaging.destination.partition.id";
    /// What the names of like destinations have in common; low cardinality.
    pub const MESSAGING_DESTINATION_TEMPLATE: &str = "messaging.destination.template";
    /// Whether a destination lives no longer than its client.
    pub const MESSAGING_DESTINATION_TEMPORARY: &str = "messaging.destination.temporary";
    /// Prefix of captured headers of messages; the name follows after a dot. Not in the conventions.
    pub const MESSAGING_HEADER: &str = "messaging.header";
    /// Bytes of a message's body.
    pub const MESSAGING_MESSAGE_BODY_SIZE: &str = "messaging.message.body.size";
    /// Conversation that a message belongs to.
    pub const MESSAGING_MESSAGE_CONVERSATION_ID: &str = "messaging.message.conversation_id";
    /// Id of a message.
    pub const MESSAGING_MESSAGE_ID: &str = "messaging.message.id";
    /// What is done, in the words of the broker.
    pub const MESSAGING_OPERATION_NAME: &str = "messaging.operation.name";
    /// What is done: `send`, `receive`, `process` or `settle`.
    pub const MESSAGING_OPERATION_TYPE: &str = "messaging.operation.type";
    /// The messaging system.
    pub const MESSAGING_SYSTEM_NAME: &str = "messaging.system.name";
    /// Messages of a batch that a span is not linked to, since there were too many. Not in the
    /// conventions.
    pub const MESSAGING_UNLINKED_MESSAGES: &str = "otelware.messaging.unlinked_messages";
    /// Address of the immediate peer of the connection.
    pub const NETWORK_PEER_ADDRESS: &str = "network.peer.address";
    /// Port of the immediate peer of the connection.
    pub const NETWORK_PEER_PORT: &str = "network.peer.port";
    /// Version of the application protocol.
    pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
    /// What happened to a connection to RabbitMQ. Not in the conventions, as all below that begin
    /// with `otelware`.
    pub const RABBITMQ_CONNECTION_EVENT: &str = "otelware.rabbitmq.connection.event";
    /// State of a connection to RabbitMQ: `connected`, `blocked` or `reconnecting`.
    pub const RABBITMQ_CONNECTION_STATE: &str = "otelware.rabbitmq.connection.state";
    /// How often a message was dead-lettered.
    pub const RABBITMQ_DEAD_LETTER_COUNT: &str = "otelware.rabbitmq.dead_letter.count";
    /// Queue that a message was dead-lettered in last.
    pub const RABBITMQ_DEAD_LETTER_QUEUE: &str = "otelware.rabbitmq.dead_letter.queue";
    /// Why a message was dead-lettered last: `rejected`, `expired`, `maxlen` or `delivery_limit`.
    pub const RABBITMQ_DEAD_LETTER_REASON: &str = "otelware.rabbitmq.dead_letter.reason";
    /// How often a message was delivered in vain, as quorum queues count it.
    pub const RABBITMQ_DELIVERY_COUNT: &str = "otelware.rabbitmq.delivery_count";
    /// Routing key of a message, where it has one.
    pub const RABBITMQ_DESTINATION_ROUTING_KEY: &str = "rabbitmq.destination.routing_key";
    /// Number of a delivery on its channel.
    pub const RABBITMQ_MESSAGE_DELIVERY_TAG: &str = "rabbitmq.message.delivery_tag";
    /// Whether a settlement is about all deliveries up to its own.
    pub const RABBITMQ_MULTIPLE: &str = "otelware.rabbitmq.multiple";
    /// Queue that deliveries come from.
    pub const RABBITMQ_QUEUE: &str = "otelware.rabbitmq.queue";
    /// Whether a message was delivered before.
    pub const RABBITMQ_REDELIVERED: &str = "otelware.rabbitmq.redelivered";
    /// Whether a message that was not acknowledged goes back to its queue.
    pub const RABBITMQ_REQUEUE: &str = "otelware.rabbitmq.requeue";
    /// Seconds from a delivery to its settlement, of one that took too long.
    pub const RABBITMQ_UNACKNOWLEDGED_TIME: &str = "otelware.rabbitmq.unacknowledged_time";
    /// Name of the method that was called, with its package and service, or `_OTHER`.
    pub const RPC_METHOD: &str = "rpc.method";
    /// The method as called, when it is not a known one.
    pub const RPC_METHOD_ORIGINAL: &str = "rpc.method_original";
    /// Prefix of captured request metadata; the lower-case key follows after a dot.
    pub const RPC_REQUEST_METADATA: &str = "rpc.request.metadata";
    /// Prefix of captured response metadata; the lower-case key follows after a dot.
    pub const RPC_RESPONSE_METADATA: &str = "rpc.response.metadata";
    /// Status code of the call, as its protocol names it.
    pub const RPC_STATUS_CODE: &str = "rpc.status_code";
    /// The system of remote procedure calls.
    pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
    /// Bytes of a message as it was sent, of one that is compressed. Not in version 1.45.0 of the
    /// conventions, whose older versions had it, as the two below.
    pub const RPC_MESSAGE_COMPRESSED_SIZE: &str = "rpc.message.compressed_size";
    /// Number of a message in its direction, from 1.
    pub const RPC_MESSAGE_ID: &str = "rpc.message.id";
    /// Direction of a message: `SENT` or `RECEIVED`.
    pub const RPC_MESSAGE_TYPE: &str = "rpc.message.type";
    /// Bytes of a message that is not compressed.
    pub const RPC_MESSAGE_UNCOMPRESSED_SIZE: &str = "rpc.message.uncompressed_size";
    /// How often a call was attempted before. Not in the conventions, as the four below.
    pub const RPC_PREVIOUS_ATTEMPTS: &str = "otelware.rpc.previous_attempts";
    /// Messages of the request.
    pub const RPC_REQUEST_MESSAGES: &str = "otelware.rpc.request.messages";
    /// Bytes of the request's messages as sent, without their prefixes.
    pub const RPC_REQUEST_SIZE: &str = "otelware.rpc.request.size";
    /// Messages of the response.
    pub const RPC_RESPONSE_MESSAGES: &str = "otelware.rpc.response.messages";
    /// Bytes of the response's messages as sent, without their prefixes.
    pub const RPC_RESPONSE_SIZE: &str = "otelware.rpc.response.size";
    /// Commands of a batch that failed. Not in the conventions.
    pub const REDIS_BATCH_ERRORS: &str = "otelware.redis.batch.errors";
    /// Logical address of the server.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// Port of the server.
    pub const SERVER_PORT: &str = "server.port";
    /// Name of a connection pool.
    pub const DB_CLIENT_CONNECTION_POOL_NAME: &str = "db.client.connection.pool.name";
    /// State of a pool's connections: `idle` or `used`.
    pub const DB_CLIENT_CONNECTION_STATE: &str = "db.client.connection.state";
    /// The database that is called.
    pub const DB_NAMESPACE: &str = "db.namespace";
    /// Commands of a batch, where those are not one.
    pub const DB_OPERATION_BATCH_SIZE: &str = "db.operation.batch.size";
    /// The command.
    pub const DB_OPERATION_NAME: &str = "db.operation.name";
    /// Operations and targets of a query; low cardinality.
    pub const DB_QUERY_SUMMARY: &str = "db.query.summary";
    /// Text of a query, without what it may have of secrets.
    pub const DB_QUERY_TEXT: &str = "db.query.text";
    /// Rows that a query returned.
    pub const DB_RESPONSE_RETURNED_ROWS: &str = "db.response.returned_rows";
    /// The database's own code of an error.
    pub const DB_RESPONSE_STATUS_CODE: &str = "db.response.status_code";
    /// The procedure, function or script that is called.
    pub const DB_STORED_PROCEDURE_NAME: &str = "db.stored_procedure.name";
    /// The database management system.
    pub const DB_SYSTEM_NAME: &str = "db.system.name";
    /// Environment that the service is deployed to.
    pub const DEPLOYMENT_ENVIRONMENT_NAME: &str = "deployment.environment.name";
    /// Unique id of the running instance of the service.
    pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";
    /// Name of the service.
    pub const SERVICE_NAME: &str = "service.name";
    /// Namespace of the service.
    pub const SERVICE_NAMESPACE: &str = "service.namespace";
    /// Version of the service.
    pub const SERVICE_VERSION: &str = "service.version";
    /// Name of the distribution of OpenTelemetry.
    pub const TELEMETRY_DISTRO_NAME: &str = "telemetry.distro.name";
    /// Version of the distribution of OpenTelemetry.
    pub const TELEMETRY_DISTRO_VERSION: &str = "telemetry.distro.version";
    /// The whole URL, credentials and sensitive query values redacted.
    pub const URL_FULL: &str = "url.full";
    /// Path of the URL.
    pub const URL_PATH: &str = "url.path";
    /// Query of the URL, sensitive values redacted.
    pub const URL_QUERY: &str = "url.query";
    /// Scheme of the URL.
    pub const URL_SCHEME: &str = "url.scheme";
    /// Low-cardinality template of the URL's path.
    pub const URL_TEMPLATE: &str = "url.template";
    /// The `User-Agent` header.
    pub const USER_AGENT_ORIGINAL: &str = "user_agent.original";
}

/// Metric names.
pub mod metric {
    /// Connections of a pool by their state; `{connection}`.
    pub const DB_CLIENT_CONNECTION_COUNT: &str = "db.client.connection.count";
    /// How long it took to open a connection.
    pub const DB_CLIENT_CONNECTION_CREATE_TIME: &str = "db.client.connection.create_time";
    /// The most idle connections that a pool keeps.
    pub const DB_CLIENT_CONNECTION_IDLE_MAX: &str = "db.client.connection.idle.max";
    /// The fewest idle connections that a pool keeps; `{connection}`.
    pub const DB_CLIENT_CONNECTION_IDLE_MIN: &str = "db.client.connection.idle.min";
    /// The most connections that a pool opens; `{connection}`.
    pub const DB_CLIENT_CONNECTION_LIMIT: &str = "db.client.connection.limit";
    /// Requests that wait for a connection; `{request}`.
    pub const DB_CLIENT_CONNECTION_PENDING_REQUESTS: &str = "db.client.connection.pending_requests";
    /// Requests that waited in vain for a connection; `{timeout}`.
    pub const DB_CLIENT_CONNECTION_TIMEOUTS: &str = "db.client.connection.timeouts";
    /// How long connections were used; `s`.
    pub const DB_CLIENT_CONNECTION_USE_TIME: &str = "db.client.connection.use_time";
    /// How long requests waited for a connection; `s`.
    pub const DB_CLIENT_CONNECTION_WAIT_TIME: &str = "db.client.connection.wait_time";
    /// Duration of database operations; `s`.
    pub const DB_CLIENT_OPERATION_DURATION: &str = "db.client.operation.duration";
    /// Rows that operations returned; `{row}`.
    pub const DB_CLIENT_RESPONSE_RETURNED_ROWS: &str = "db.client.response.returned_rows";
    /// Requests in flight at a client; `{request}`.
    pub const HTTP_CLIENT_ACTIVE_REQUESTS: &str = "http.client.active_requests";
    /// Duration of client requests; `s`.
    pub const HTTP_CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
    /// Payload bytes of client requests; `By`.
    pub const HTTP_CLIENT_REQUEST_BODY_SIZE: &str = "http.client.request.body.size";
    /// Payload bytes of responses to a client; `By`.
    pub const HTTP_CLIENT_RESPONSE_BODY_SIZE: &str = "http.client.response.body.size";
    /// Requests in flight at a server; `{request}`.
    pub const HTTP_SERVER_ACTIVE_REQUESTS: &str = "http.server.active_requests";
    /// Duration of server requests; `s`.
    pub const HTTP_SERVER_REQUEST_DURATION: &str = "http.server.request.duration";
    /// Payload bytes of requests to a server; `By`.
    pub const HTTP_SERVER_REQUEST_BODY_SIZE: &str = "http.server.request.body.size";
    /// Payload bytes of a server's responses; `By`.
    pub const HTTP_SERVER_RESPONSE_BODY_SIZE: &str = "http.server.response.body.size";
    /// Duration of calls at their client; `s`.
    pub const RPC_CLIENT_CALL_DURATION: &str = "rpc.client.call.duration";
    /// Duration of calls at their server; `s`.
    pub const RPC_SERVER_CALL_DURATION: &str = "rpc.server.call.duration";
    /// Calls in flight at a client; `{call}`. Not in the conventions, as all below.
    pub const RPC_CLIENT_ACTIVE_CALLS: &str = "otelware.rpc.client.active_calls";
    /// Messages of a call's request, at its client; `{message}`.
    pub const RPC_CLIENT_REQUEST_MESSAGES: &str = "otelware.rpc.client.request.messages";
    /// Bytes of a call's request, at its client; `By`.
    pub const RPC_CLIENT_REQUEST_SIZE: &str = "otelware.rpc.client.request.size";
    /// Messages of a call's response, at its client; `{message}`.
    pub const RPC_CLIENT_RESPONSE_MESSAGES: &str = "otelware.rpc.client.response.messages";
    /// Bytes of a call's response, at its client; `By`.
    pub const RPC_CLIENT_RESPONSE_SIZE: &str = "otelware.rpc.client.response.size";
    /// Calls in flight at a server; `{call}`.
    pub const RPC_SERVER_ACTIVE_CALLS: &str = "otelware.rpc.server.active_calls";
    /// Messages of a call's request, at its server; `{message}`.
    pub const RPC_SERVER_REQUEST_MESSAGES: &str = "otelware.rpc.server.request.messages";
    /// Bytes of a call's request, at its server; `By`.
    pub const RPC_SERVER_REQUEST_SIZE: &str = "otelware.rpc.server.request.size";
    /// Messages of a call's response, at its server; `{message}`.
    pub const RPC_SERVER_RESPONSE_MESSAGES: &str = "otelware.rpc.server.response.messages";
    /// Bytes of a call's response, at its server; `By`.
    pub const RPC_SERVER_RESPONSE_SIZE: &str = "otelware.rpc.server.response.size";
    /// Connections to Redis that worked again after they had been lost; `{connection}`. Not in the
    /// conventions, as the three below.
    pub const REDIS_RECONNECTIONS: &str = "otelware.redis.reconnections";
    /// Commands that a node of a cluster answered with the address of another; `{command}`.
    pub const REDIS_REDIRECTIONS: &str = "otelware.redis.redirections";
    /// Time from the id of a stream's entry to the begin of its processing; `s`.
    pub const REDIS_STREAM_LAG: &str = "otelware.redis.stream.lag";
    /// Commands to which no reply came in time; `{timeout}`.
    pub const REDIS_TIMEOUTS: &str = "otelware.redis.timeouts";
    /// What happened to connections to RabbitMQ; `{event}`. Not in the conventions, as the seven
    /// below.
    pub const RABBITMQ_CONNECTION_EVENTS: &str = "otelware.rabbitmq.connection_events";
    /// Connections to RabbitMQ by their state; `{connection}`.
    pub const RABBITMQ_CONNECTIONS: &str = "otelware.rabbitmq.connections";
    /// Messages from RabbitMQ that had been dead-lettered before; `{message}`.
    pub const RABBITMQ_DEAD_LETTERED_MESSAGES: &str = "otelware.rabbitmq.dead_lettered_messages";
    /// Deliveries from RabbitMQ that were not settled in time; `{delivery}`.
    pub const RABBITMQ_OVERDUE_DELIVERIES: &str = "otelware.rabbitmq.overdue_deliveries";
    /// Messages to RabbitMQ whose confirms are awaited; `{message}`.
    pub const RABBITMQ_PENDING_CONFIRMS: &str = "otelware.rabbitmq.pending_confirms";
    /// Messages from RabbitMQ that were delivered before; `{message}`.
    pub const RABBITMQ_REDELIVERED_MESSAGES: &str = "otelware.rabbitmq.redelivered_messages";
    /// Age of the oldest delivery from RabbitMQ that is not settled; `s`.
    pub const RABBITMQ_UNACKNOWLEDGED_AGE: &str = "otelware.rabbitmq.unacknowledged_age";
    /// Deliveries from RabbitMQ that are not settled; `{delivery}`.
    pub const RABBITMQ_UNACKNOWLEDGED_DELIVERIES: &str =
        "otelware.rabbitmq.unacknowledged_deliveries";
    /// Messages that were handed to the application; `{message}`.
    pub const MESSAGING_CLIENT_CONSUMED_MESSAGES: &str = "messaging.client.consumed.messages";
    /// Duration of operations on a message broker, but for processing; `s`.
    pub const MESSAGING_CLIENT_OPERATION_DURATION: &str = "messaging.client.operation.duration";
    /// Messages that were sent, or tried to be; `{message}`.
    pub const MESSAGING_CLIENT_SENT_MESSAGES: &str = "messaging.client.sent.messages";
    /// Duration of the processing of messages; `s`.
    pub const MESSAGING_PROCESS_DURATION: &str = "messaging.process.duration";
    /// Messages in a producer's queue; `{message}`. Not in the conventions, as all below.
    pub const KAFKA_PRODUCER_QUEUE_MESSAGES: &str = "otelware.kafka.producer.queue.messages";
    /// Bytes in a producer's queue; `By`.
    pub const KAFKA_PRODUCER_QUEUE_SIZE: &str = "otelware.kafka.producer.queue.size";
    /// Messages of a partition that a consumer's group has not committed yet; `{message}`.
    pub const KAFKA_CONSUMER_LAG: &str = "otelware.kafka.consumer.lag";
    /// Messages of a partition that were fetched and wait; `{message}`.
    pub const KAFKA_CONSUMER_QUEUE_MESSAGES: &str = "otelware.kafka.consumer.queue.messages";
    /// Bytes of a partition that were fetched and wait; `By`.
    pub const KAFKA_CONSUMER_QUEUE_SIZE: &str = "otelware.kafka.consumer.queue.size";
    /// Partitions that are assigned to a consumer; `{partition}`.
    pub const KAFKA_CONSUMER_PARTITIONS: &str = "otelware.kafka.consumer.assigned_partitions";
    /// Rebalances that a consumer went through, as its statistics count them; `{rebalance}`.
    pub const KAFKA_CONSUMER_REBALANCES: &str = "otelware.kafka.consumer.rebalances";
    /// Changes of a consumer's assignment; `{change}`.
    pub const KAFKA_CONSUMER_ASSIGNMENT_CHANGES: &str =
        "otelware.kafka.consumer.assignment.changes";
    /// Commits of offsets that were answered, automatic ones among them; `{commit}`.
    pub const KAFKA_CONSUMER_COMMITS: &str = "otelware.kafka.consumer.commits";
    /// Time that a request to a broker takes, on average; `s`.
    pub const KAFKA_BROKER_ROUND_TRIP_AVERAGE: &str = "otelware.kafka.broker.round_trip.average";
    /// Time that all but one in a hundred requests to a broker take at most; `s`.
    pub const KAFKA_BROKER_ROUND_TRIP_P99: &str = "otelware.kafka.broker.round_trip.p99";
    /// Requests that a broker has not answered yet; `{request}`.
    pub const KAFKA_BROKER_REQUESTS_IN_FLIGHT: &str = "otelware.kafka.broker.requests.in_flight";
    /// Requests that wait to be sent to a broker; `{request}`.
    pub const KAFKA_BROKER_REQUESTS_QUEUED: &str = "otelware.kafka.broker.requests.queued";
    /// Requests to a broker that were sent again; `{request}`.
    pub const KAFKA_BROKER_REQUEST_RETRIES: &str = "otelware.kafka.broker.request.retries";
    /// Requests that a broker did not answer in time; `{request}`.
    pub const KAFKA_BROKER_REQUEST_TIMEOUTS: &str = "otelware.kafka.broker.request.timeouts";
    /// Time from a message's timestamp to the begin of its processing; `s`.
    pub const KAFKA_MESSAGE_AGE: &str = "otelware.kafka.message.age";
}

/// Names of events.
pub mod event {
    /// An exception ended a database operation.
    pub const DB_CLIENT_OPERATION_EXCEPTION: &str = "db.client.operation.exception";
    /// An exception ended a client request.
    pub const HTTP_CLIENT_REQUEST_EXCEPTION: &str = "http.client.request.exception";
    /// An exception ended a server request.
    pub const HTTP_SERVER_REQUEST_EXCEPTION: &str = "http.server.request.exception";
    /// An exception ended a call at its client.
    pub const RPC_CLIENT_CALL_EXCEPTION: &str = "rpc.client.call.exception";
    /// A message of a call went by; an event of the span. Not in version 1.45.0 of the conventions,
    /// whose older versions had it.
    pub const RPC_MESSAGE: &str = "rpc.message";
    /// An exception ended a call at its server.
    pub const RPC_SERVER_CALL_EXCEPTION: &str = "rpc.server.call.exception";
    /// An exception ended the processing of a message.
    pub const MESSAGING_PROCESS_EXCEPTION: &str = "messaging.process.exception";
    /// An exception ended the receiving of messages.
    pub const MESSAGING_RECEIVE_EXCEPTION: &str = "messaging.receive.exception";
    /// An exception ended the sending of a message.
    pub const MESSAGING_SEND_EXCEPTION: &str = "messaging.send.exception";
    /// An exception ended the settlement of a message.
    pub const MESSAGING_SETTLE_EXCEPTION: &str = "messaging.settle.exception";
    /// A delivery from RabbitMQ was not settled in time. Not in the conventions.
    pub const RABBITMQ_DELIVERY_OVERDUE: &str = "otelware.rabbitmq.delivery.overdue";
}

/// Well-known attribute values.
pub mod value {
    /// Stands for everything outside a closed set of values.
    pub const OTHER: &str = "_OTHER";
    /// `error.type` of an operation whose peer went away before it was done.
    pub const CANCELLED: &str = "cancelled";
    /// `error.type` of an operation that panicked.
    pub const PANIC: &str = "panic";
    /// `error.type` of an operation that ran out of time.
    pub const TIMEOUT: &str = "timeout";
    /// `rpc.system.name` of gRPC.
    pub const GRPC: &str = "grpc";
    /// `rpc.message.type` of a message that came in.
    pub const RECEIVED: &str = "RECEIVED";
    /// `rpc.message.type` of a message that went out.
    pub const SENT: &str = "SENT";
    /// Replaces what must not be shown.
    pub const REDACTED: &str = "REDACTED";
}

/// Units, as the conventions write them.
pub mod unit {
    /// Seconds.
    pub const SECONDS: &str = "s";
    /// Bytes.
    pub const BYTES: &str = "By";
    /// Connections.
    pub const CONNECTIONS: &str = "{connection}";
    /// Commands.
    pub const COMMANDS: &str = "{command}";
    /// Rows.
    pub const ROWS: &str = "{row}";
    /// Timeouts.
    pub const TIMEOUTS: &str = "{timeout}";
    /// Calls.
    pub const CALLS: &str = "{call}";
    /// Deliveries.
    pub const DELIVERIES: &str = "{delivery}";
    /// Events.
    pub const EVENTS: &str = "{event}";
    /// Messages.
    pub const MESSAGES: &str = "{message}";
    /// Requests.
    pub const REQUESTS: &str = "{request}";
    /// Partitions.
    pub const PARTITIONS: &str = "{partition}";
    /// Rebalances.
    pub const REBALANCES: &str = "{rebalance}";
    /// Changes.
    pub const CHANGES: &str = "{change}";
    /// Commits.
    pub const COMMITS: &str = "{commit}";
}

/// Advised histogram boundaries.
pub mod boundaries {
    /// Durations of HTTP requests, RPC calls and messaging operations, in seconds.
    pub const REQUEST_SECONDS: [f64; 14] = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
    /// Ages of messages, in seconds: from a millisecond to a day. The conventions advise none.
    pub const MESSAGE_AGE_SECONDS: [f64; 16] = [
        0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0, 1_800.0,
        3_600.0, 86_400.0,
    ];
    /// Durations of database operations, in seconds.
    pub const DATABASE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
    /// Numbers of returned rows.
    pub const ROWS: [f64; 13] = [
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0,
    ];
    /// Numbers of messages: none, then powers of four to about a million. The conventions advise none.
    pub const MESSAGES: [f64; 12] = [
        0.0,
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1_024.0,
        4_096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
    ];
    /// Sizes of payloads, in bytes: powers of four from 64 B to 16 MiB. The conventions advise none.
    pub const BODY_BYTES: [f64; 10] = [
        64.0,
        256.0,
        1_024.0,
        4_096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
    ];
}
