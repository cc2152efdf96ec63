"""The table of the cache that all processes share."""

from django.db import models


class SharedCacheEntry(models.Model):
    """A row of Django's database cache: a used one-time code, or the count for a sign-in limit.

    Only the cache reads and writes these rows. The columns are those of `createcachetable`. The model exists so that
    `migrate` creates the table.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)  # a keyed hash: see `config.shared_cache`
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "shared_cache"

    def __str__(self) -> str:
        return self.cache_key
