"""Column types, the same on both databases."""

from sqlalchemy import JSON, BigInteger, Integer, Text

# SQLite numbers rows by itself only in an INTEGER primary key, which has 64 bits as well
Number = BigInteger().with_variant(Integer(), "sqlite")

# ids sort by byte on both databases, whatever the locale of a PostgreSQL cluster
IdText = Text().with_variant(Text(collation="C"), "postgresql")

# not JSONB: nothing looks into it by SQL, and its dialect takes 50 ms to import
Tree = JSON(none_as_null=True)
