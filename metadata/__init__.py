"""What an entry and its flavors are, in SQLite or PostgreSQL.

Empty on purpose: ``records``, ``flavors``, ``ids`` and ``errors`` import no SQLAlchemy, so that
a worker pays for the ORM only when it asks its first question.
"""
