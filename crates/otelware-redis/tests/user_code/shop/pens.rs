//! Pens: generic over connections, as libraries are.

use redis::aio::ConnectionLike;
use redis::{AsyncCommands, RedisResult, pipe};

/// Looked up, or out of the cache, with the visit counted.
pub(super) async fn pen<C: AsyncCommands>(connection: &mut C, id: u32) -> RedisResult<String> {
    let key = format!("pen:{id}");
    if let Some(pen) = connection.get::<_, Option<String>>(&key).await? {
        return Ok(pen);
    }
    let pen = format!("pen {id}");
    let _: () = connection.set_ex(&key, &pen, 60).await?;
    Ok(format!("{pen}, looked up"))
}

/// By value, with a bound of its own.
pub(super) async fn count<C>(mut connection: C, id: u32) -> RedisResult<u64>
where
    C: ConnectionLike + Send + 'static,
{
    let key = format!("pen:{id}:stock");
    let mut pipeline = pipe();
    pipeline.atomic().incr(&key, 1).expire(&key, 600).ignore();
    let (stock,): (u64,) = pipeline.query_async(&mut connection).await?;
    Ok(stock)
}

pub(super) async fn keys(connection: &mut impl AsyncCommands) -> RedisResult<Vec<String>> {
    let mut found = Vec::new();
    let mut keys = connection.scan_match::<_, String>("pen:*").await?;
    while let Some(key) = keys.next_item().await {
        found.push(key?);
    }
    found.sort();
    Ok(found)
}

/// Through a trait of the shop's own.
pub(super) trait Shelf: Send {
    fn note(&mut self, id: u32) -> impl Future<Output = RedisResult<()>> + Send;
}

impl<C: AsyncCommands> Shelf for C {
    async fn note(&mut self, id: u32) -> RedisResult<()> {
        pipe()
            .sadd("pens", id)
            .ignore()
            .scard("pens")
            .ignore()
            .query_async(self)
            .await
    }
}
