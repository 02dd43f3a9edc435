"""An HTTP cache for streaming: pure policy, and a thin asyncio shell around it."""
