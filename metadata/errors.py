"""What can go wrong with the metadata, without HTTP.

    MetadataError
        BadId                  an id that is not of the accepted form
        BadDatabaseUrl         a database this program does not know how to open
        BadRow                 a row that cannot be true: table, id and reason
        Conflict               what is to be stored is there already, or changed meanwhile
        UnknownEntry           a change to an entry that is not there
        DatabaseUnavailable    not there, not reachable, locked or late; later it may work
            WrongSchema        there, but another version of the tables

No message holds a password.  That of ``DatabaseUnavailable`` may be a driver's and name a host
or a socket, and ``where`` names the file: both are for logs, a client is told the kind only.
"""


class MetadataError(Exception):
    """The root of this tree."""


class BadId(MetadataError):
    """An id that is not of the accepted form."""


class BadDatabaseUrl(MetadataError):
    """A database this program does not know how to open."""


class BadRow(MetadataError):
    """A row that cannot be true."""

    def __init__(self, table: str, row_id: object, reason: str) -> None:
        super().__init__(f"{table} {row_id}: {reason}")
        self.table = table
        self.row_id = row_id
        self.reason = reason


class Conflict(MetadataError):
    """What is to be stored is there already, or changed meanwhile."""


class UnknownEntry(MetadataError):
    """A change to an entry that is not there."""


class DatabaseUnavailable(MetadataError):
    """The database cannot answer now.  ``where`` is the URL without its password."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


class WrongSchema(DatabaseUnavailable):
    """The tables are of another version than this program's; *found*, or not made yet."""

    def __init__(self, reason: str, where: str = "", found: str = "") -> None:
        super().__init__(reason, where)
        self.found = found
