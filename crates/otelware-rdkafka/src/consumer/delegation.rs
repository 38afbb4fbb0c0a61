//! What all consumers have in common.

/// For a type with the fields `inner` and `telemetry`: the processing of messages, rdkafka's
/// `Consumer` with commits that are observed, and the deref to rdkafka's own type of the same name.
macro_rules! observed_consumer {
    ($consumer:ident[$($parameter:ident),+] where $($bound:tt)+) => {
        impl<$($parameter),+> $consumer<$($parameter),+>
        where
            $($bound)+,
        {
            /// Its telemetry, a clone of which can process messages anywhere.
            pub fn telemetry(&self) -> &crate::Telemetry {
                &self.telemetry
            }

            /// rdkafka's consumer; what is received by it is not counted.
            pub fn inner(&self) -> &Arc<rdkafka::consumer::$consumer<$($parameter),+>> {
                &self.inner
            }

            /// Processes a message by a future; see
            /// [`Telemetry::process`](crate::Telemetry::process).
            ///
            /// # Errors
            ///
            /// Those of the future.
            pub fn process<M, F, T, E>(
                &self,
                message: &M,
                future: F,
            ) -> impl Future<Output = Result<T, E>>
            where
                M: crate::KafkaMessage,
                F: Future<Output = Result<T, E>>,
            {
                self.telemetry.process(message, future)
            }

            /// Processes a message by a closure; see
            /// [`Telemetry::process_sync`](crate::Telemetry::process_sync).
            ///
            /// # Errors
            ///
            /// Those of the closure.
            pub fn process_sync<M, T, E>(
                &self,
                message: &M,
                process: impl FnOnce() -> Result<T, E>,
            ) -> Result<T, E>
            where
                M: crate::KafkaMessage,
            {
                self.telemetry.process_sync(message, process)
            }

            /// Begins to process a message; see
            /// [`Telemetry::start_process`](crate::Telemetry::start_process).
            pub fn start_process<M: crate::KafkaMessage>(
                &self,
                message: &M,
            ) -> otelware::messaging::Processing {
                self.telemetry.start_process(message)
            }

            /// Processes a batch of messages by a future; see
            /// [`Telemetry::process_batch`](crate::Telemetry::process_batch).
            ///
            /// # Errors
            ///
            /// Those of the future.
            pub fn process_batch<'m, M, I, F, T, E>(
                &self,
                messages: I,
                future: F,
            ) -> impl Future<Output = Result<T, E>>
            where
                M: crate::KafkaMessage + 'm,
                I: IntoIterator<Item = &'m M>,
                F: Future<Output = Result<T, E>>,
            {
                self.telemetry.process_batch(messages, future)
            }

            /// Processes a batch of messages by a closure; see
            /// [`Telemetry::process_batch_sync`](crate::Telemetry::process_batch_sync).
            ///
            /// # Errors
            ///
            /// Those of the closure.
            pub fn process_batch_sync<'m, M, T, E>(
                &self,
                messages: impl IntoIterator<Item = &'m M>,
                process: impl FnOnce() -> Result<T, E>,
            ) -> Result<T, E>
            where
                M: crate::KafkaMessage + 'm,
            {
                self.telemetry.process_batch_sync(messages, process)
            }

            /// Begins to process a batch of messages; see
            /// [`Telemetry::start_process_batch`](crate::Telemetry::start_process_batch).
            pub fn start_process_batch<'m, M>(
                &self,
                messages: impl IntoIterator<Item = &'m M>,
            ) -> otelware::messaging::Processing
            where
                M: crate::KafkaMessage + 'm,
            {
                self.telemetry.start_process_batch(messages)
            }
        }

        impl<$($parameter),+> Deref for $consumer<$($parameter),+>
        where
            $($bound)+,
        {
            type Target = rdkafka::consumer::$consumer<$($parameter),+>;

            fn deref(&self) -> &Self::Target {
                &self.inner
            }
        }

        impl<$($parameter),+> std::fmt::Debug for $consumer<$($parameter),+>
        where
            $($bound)+,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($consumer)).finish_non_exhaustive()
            }
        }

        const _: () = {
            use rdkafka::consumer::{CommitMode, ConsumerGroupMetadata, RebalanceProtocol};
            use rdkafka::groups::GroupList;
            use rdkafka::metadata::Metadata;
            use rdkafka::util::Timeout;
            use rdkafka::{Offset, TopicPartitionList};

            impl<$($parameter),+> Consumer<C> for $consumer<$($parameter),+>
            where
                $($bound)+,
            {
                fn commit(
                    &self,
                    topic_partition_list: &TopicPartitionList,
                    mode: CommitMode,
                ) -> KafkaResult<()> {
                    self.telemetry.commits(Some(topic_partition_list), || {
                        self.inner.commit(topic_partition_list, mode)
                    })
                }

                fn commit_consumer_state(&self, mode: CommitMode) -> KafkaResult<()> {
                    let commit = || self.inner.commit_consumer_state(mode);
                    self.telemetry.commits(None, commit)
                }

                fn commit_message(
                    &self,
                    message: &BorrowedMessage<'_>,
                    mode: CommitMode,
                ) -> KafkaResult<()> {
                    let commit = || self.inner.commit_message(message, mode);
                    self.telemetry.commits_message(message, commit)
                }

                fn client(&self) -> &rdkafka::client::Client<C> {
                    self.inner.client()
                }

                fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
                    self.inner.group_metadata()
                }

                fn subscribe(&self, topics: &[&str]) -> KafkaResult<()> {
                    self.inner.subscribe(topics)
                }

                fn unsubscribe(&self) {
                    self.inner.unsubscribe();
                }

                fn assign(&self, assignment: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.assign(assignment)
                }

                fn unassign(&self) -> KafkaResult<()> {
                    self.inner.unassign()
                }

                fn incremental_assign(&self, assignment: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.incremental_assign(assignment)
                }

                fn incremental_unassign(&self, assignment: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.incremental_unassign(assignment)
                }

                fn seek<T: Into<Timeout>>(
                    &self,
                    topic: &str,
                    partition: i32,
                    offset: Offset,
                    timeout: T,
                ) -> KafkaResult<()> {
                    self.inner.seek(topic, partition, offset, timeout)
                }

                fn seek_partitions<T: Into<Timeout>>(
                    &self,
                    topic_partition_list: TopicPartitionList,
                    timeout: T,
                ) -> KafkaResult<TopicPartitionList> {
                    self.inner.seek_partitions(topic_partition_list, timeout)
                }

                fn store_offset(
                    &self,
                    topic: &str,
                    partition: i32,
                    offset: i64,
                ) -> KafkaResult<()> {
                    self.inner.store_offset(topic, partition, offset)
                }

                fn store_offset_from_message(
                    &self,
                    message: &BorrowedMessage<'_>,
                ) -> KafkaResult<()> {
                    self.inner.store_offset_from_message(message)
                }

                fn store_offsets(&self, tpl: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.store_offsets(tpl)
                }

                fn subscription(&self) -> KafkaResult<TopicPartitionList> {
                    self.inner.subscription()
                }

                fn assignment(&self) -> KafkaResult<TopicPartitionList> {
                    self.inner.assignment()
                }

                fn assignment_lost(&self) -> bool {
                    self.inner.assignment_lost()
                }

                fn committed<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<TopicPartitionList> {
                    self.inner.committed(timeout)
                }

                fn committed_offsets<T: Into<Timeout>>(
                    &self,
                    tpl: TopicPartitionList,
                    timeout: T,
                ) -> KafkaResult<TopicPartitionList> {
                    self.inner.committed_offsets(tpl, timeout)
                }

                fn offsets_for_timestamp<T: Into<Timeout>>(
                    &self,
                    timestamp: i64,
                    timeout: T,
                ) -> KafkaResult<TopicPartitionList> {
                    self.inner.offsets_for_timestamp(timestamp, timeout)
                }

                fn offsets_for_times<T: Into<Timeout>>(
                    &self,
                    timestamps: TopicPartitionList,
                    timeout: T,
                ) -> KafkaResult<TopicPartitionList> {
                    self.inner.offsets_for_times(timestamps, timeout)
                }

                fn position(&self) -> KafkaResult<TopicPartitionList> {
                    self.inner.position()
                }

                fn fetch_metadata<T: Into<Timeout>>(
                    &self,
                    topic: Option<&str>,
                    timeout: T,
                ) -> KafkaResult<Metadata> {
                    self.inner.fetch_metadata(topic, timeout)
                }

                fn fetch_watermarks<T: Into<Timeout>>(
                    &self,
                    topic: &str,
                    partition: i32,
                    timeout: T,
                ) -> KafkaResult<(i64, i64)> {
                    self.inner.fetch_watermarks(topic, partition, timeout)
                }

                fn fetch_group_list<T: Into<Timeout>>(
                    &self,
                    group: Option<&str>,
                    timeout: T,
                ) -> KafkaResult<GroupList> {
                    self.inner.fetch_group_list(group, timeout)
                }

                fn pause(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.pause(partitions)
                }

                fn resume(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
                    self.inner.resume(partitions)
                }

                fn rebalance_protocol(&self) -> RebalanceProtocol {
                    self.inner.rebalance_protocol()
                }
            }
        };
    };
}
pub(super) use observed_consumer;
