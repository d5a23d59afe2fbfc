"""Topics as people see them, wordings, consent that expires or has to be confirmed, pauses.

New columns have constant defaults, so no table is written anew; the one index is partial and holds nothing at first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("""
        alter table topics add column description text not null default '',
            add column public boolean not null default true, add column position bigint not null default 0,
            add column double_opt_in boolean not null default false,
            add column archived_at timestamptz""")
    op.execute("""
        alter table consent_events add column wording_hash text, add column expires_at timestamptz,
            add column proof jsonb""")
    op.execute("alter table consent_states add column expires_at timestamptz")
    op.execute("alter table messages add column transactional boolean not null default false")
    op.create_index(
        "consent_states_expiry_idx",
        "consent_states",
        ["expires_at"],
        postgresql_where=sa.text("expires_at is not null"),
    )
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "wordings",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", "version", name=op.f("wordings_pkey")),
    )
    op.create_table(
        "consent_pauses",
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "channel", name=op.f("consent_pauses_pkey")),
    )
    op.create_table(
        "consent_requests",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lists", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("wording", "wording_hash", "ip", "user_agent")),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("consent_requests_pkey")),
    )
    op.create_index("consent_requests_contact_idx", "consent_requests", ["contact_id", "requested_at"])


def downgrade() -> None:
    for table in ("consent_requests", "consent_pauses", "wordings"):
        op.drop_table(table)
    op.drop_index("consent_states_expiry_idx", "consent_states")
    op.execute("alter table messages drop column transactional")
    op.execute("alter table consent_states drop column expires_at")
    op.execute("alter table consent_events drop column wording_hash, drop column expires_at, drop column proof")
    op.execute("""
        alter table topics drop column description, drop column public, drop column position, drop column double_opt_in,
            drop column archived_at""")
