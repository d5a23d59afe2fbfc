"""The first slice: contacts, events, audiences, journeys, messages, tracking, reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SEQUENCES = ("hits_id_seq", "messages_id_seq", "step_log_id_seq")
EVENT_KEY_PARTITIONS = 16


def upgrade() -> None:
    for name in SEQUENCES:
        op.execute(sa.schema.CreateSequence(sa.Sequence(name)))
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("key_hash", name=op.f("api_keys_key_hash_key")),
    )
    op.create_table(
        "attribute_definitions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("attribute_definitions_pkey")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_log_pkey")),
    )
    op.create_table(
        "change_inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("change_inbox_pkey")),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("virtual_now", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("clock_one_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("clock_pkey")),
    )
    op.create_table(
        "consent_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("lawful_basis", sa.Text(), nullable=True),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("consent_events_pkey")),
    )
    op.create_index("consent_events_contact_idx", "consent_events", ["contact_id", "occurred_at"], unique=False)
    op.create_table(
        "consent_states",
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "channel", "topic", name=op.f("consent_states_pkey")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "public_id", sa.Text(), server_default=sa.text("replace(gen_random_uuid()::text, '-', '')"), nullable=False
        ),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column(
            "attributes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("contacts_pkey")),
        sa.UniqueConstraint("external_id", name=op.f("contacts_external_id_key")),
        sa.UniqueConstraint("public_id", name=op.f("contacts_public_id_key")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index("contacts_email_idx", "contacts", [sa.literal_column("lower(email)")], unique=False)
    op.create_index("contacts_phone_idx", "contacts", ["phone"], unique=False)
    op.create_table(
        "contents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("contents_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("contents_public_id_key")),
        sa.UniqueConstraint("slug", name=op.f("contents_slug_key")),
    )
    op.create_table(
        "conversions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.Column("journey_id", sa.BigInteger(), nullable=True),
        sa.Column("event_name", sa.Text(), nullable=False),
        sa.Column("event_message_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("conversions_pkey")),
        sa.UniqueConstraint(
            "kind",
            "event_message_id",
            "enrolment_id",
            name=op.f("conversions_kind_event_message_id_enrolment_id_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("conversions_contact_idx", "conversions", ["contact_id", "occurred_at"], unique=False)
    op.create_index(
        "conversions_enrolment_idx",
        "conversions",
        ["enrolment_id"],
        unique=False,
        postgresql_where=sa.text("enrolment_id is not null"),
    )
    op.create_table(
        "costs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("journey_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("costs_pkey")),
    )
    op.create_table(
        "credits",
        sa.Column("conversion_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.SmallInteger(), nullable=False),
        sa.Column("share", sa.Numeric(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("conversion_id", "model", "message_id", name=op.f("credits_pkey")),
    )
    op.create_index("credits_message_idx", "credits", ["message_id"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("visit", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "visits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("steps_taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("held_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("first_entry", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "arms", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("trigger_occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_message_id", sa.Text(collation="C"), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "trigger_event",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("goal_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("goal_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'active' or (wake_at is not null and phase is not null)", name=op.f("enrolments_awake_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("enrolments_pkey")),
        sa.UniqueConstraint(
            "journey_id", "contact_id", "entry_key", name=op.f("enrolments_journey_id_contact_id_entry_key_key")
        ),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("enrolments_contact_idx", "enrolments", ["contact_id"], unique=False)
    op.create_index(
        "enrolments_due_idx",
        "enrolments",
        ["version_id", "wake_at"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "entry_rollups",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("split_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("entries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("goals", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("contacts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("conversions", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("value", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("value_squared", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", "split_id", "arm", "day", name=op.f("entry_rollups_pkey")),
    )
    op.create_table(
        "event_definitions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "properties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("event_definitions_pkey")),
    )
    op.create_table(
        "event_inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "properties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("triggers", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("event_inbox_pkey")),
    )
    op.create_index(
        "event_inbox_order_idx",
        "event_inbox",
        ["available_at", "occurred_at", "received_at", "message_id"],
        unique=False,
    )
    op.create_table(
        "event_keys",
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("event_keys_pkey")),
        postgresql_partition_by="HASH (message_id)",
    )
    op.create_table(
        "events",
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "properties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "received_at", name=op.f("events_pkey")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index("events_contact_idx", "events", ["contact_id", "name", "occurred_at"], unique=False)
    op.create_index(
        "events_name_idx", "events", ["name", "occurred_at"], unique=False, postgresql_include=["contact_id"]
    )
    op.create_table(
        "hits",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('hits_id_seq')"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("classification", sa.Text(), nullable=True),
        sa.Column("classifier_version", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("hits_pkey")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("hits_message_idx", "hits", ["message_id"], unique=False)
    op.create_index(
        "hits_pending_idx", "hits", ["at"], unique=False, postgresql_where=sa.text("classification is null")
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("error_file", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("imports_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("imports_public_id_key")),
    )
    op.create_table(
        "journeys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("live_version_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("journeys_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("journeys_public_id_key")),
        sa.UniqueConstraint("slug", name=op.f("journeys_slug_key")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("leases_pkey")),
    )
    op.create_table(
        "lists",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("lists_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("lists_public_id_key")),
        sa.UniqueConstraint("slug", name=op.f("lists_slug_key")),
    )
    op.create_table(
        "local_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("message_token", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("local_messages_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("local_messages_public_id_key")),
    )
    op.create_index(op.f("local_messages_message_token_idx"), "local_messages", ["message_token"], unique=False)
    op.create_index("local_messages_received_idx", "local_messages", ["received_at"], unique=False)
    op.create_table(
        "message_rollups",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("undelivered", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("raw_opens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("human_opens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("raw_clicks", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("human_clicks", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsubscribes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("conversions", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("revenue", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", "step_id", "channel", "day", name=op.f("message_rollups_pkey")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('messages_id_seq')"), nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("visit", sa.SmallInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=True),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("content_version_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("cap", sa.Text(), nullable=True),
        sa.Column("fallback", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "token", sa.Text(), server_default=sa.text("replace(gen_random_uuid()::text, '-', '')"), nullable=False
        ),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("journal", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("links", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cost", sa.Numeric(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_open_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_click_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", "origin_at", name=op.f("messages_pkey")),
        sa.UniqueConstraint(
            "origin_at", "campaign_id", "contact_id", name=op.f("messages_origin_at_campaign_id_contact_id_key")
        ),
        sa.UniqueConstraint(
            "origin_at",
            "enrolment_id",
            "step_id",
            "visit",
            name=op.f("messages_origin_at_enrolment_id_step_id_visit_key"),
        ),
        postgresql_partition_by="RANGE (origin_at)",
    )
    op.create_index("messages_contact_idx", "messages", ["contact_id", "accepted_at"], unique=False)
    op.create_index(
        "messages_queue_idx",
        "messages",
        ["channel", "send_after", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "messages_sending_idx", "messages", ["claimed_at"], unique=False, postgresql_where=sa.text("state = 'sending'")
    )
    op.create_table(
        "schedule_slots",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "slot", name=op.f("schedule_slots_pkey")),
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("contact_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("segments_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("segments_public_id_key")),
        sa.UniqueConstraint("slug", name=op.f("segments_slug_key")),
    )
    op.create_table(
        "step_log",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('step_log_id_seq')"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("visit", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("step_log_pkey")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("step_log_enrolment_idx", "step_log", ["enrolment_id"], unique=False)
    op.create_table(
        "step_rollups",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", "step_id", "outcome", "day", name=op.f("step_rollups_pkey")),
    )
    op.create_table(
        "suppressions",
        sa.Column("address_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("address_hmac", "channel", name=op.f("suppressions_pkey")),
    )
    op.create_table(
        "topics",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_state", sa.Text(), server_default=sa.text("'subscribed'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("topics_pkey")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'admin'"), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("session_stamp", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("email", name=op.f("users_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("users_public_id_key")),
    )
    op.create_table(
        "workspace_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("workspace_settings_pkey")),
    )
    op.create_table(
        "contact_identities",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("contact_identities_contact_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("contact_identities_pkey")),
    )
    op.create_index(op.f("contact_identities_contact_id_idx"), "contact_identities", ["contact_id"], unique=False)
    op.create_table(
        "content_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("compiled", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("content_versions_content_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("content_versions_pkey")),
        sa.UniqueConstraint("content_id", "number", name=op.f("content_versions_content_id_number_key")),
    )
    op.create_table(
        "journey_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name=op.f("journey_versions_journey_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("journey_versions_pkey")),
        sa.UniqueConstraint("journey_id", "number", name=op.f("journey_versions_journey_id_number_key")),
    )
    op.create_table(
        "list_memberships",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("list_memberships_list_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("list_memberships_pkey")),
    )
    op.create_index("list_memberships_contact_idx", "list_memberships", ["contact_id"], unique=False)
    op.create_index(
        "list_memberships_open_key",
        "list_memberships",
        ["list_id", "contact_id"],
        unique=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.create_table(
        "segment_memberships",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("segment_memberships_segment_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("segment_memberships_pkey")),
    )
    op.create_index(
        "segment_memberships_contact_idx",
        "segment_memberships",
        ["contact_id", "segment_id", "entered_at"],
        unique=False,
    )
    op.create_index(
        "segment_memberships_expiry_idx",
        "segment_memberships",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("left_at is null and expires_at is not null"),
    )
    op.create_index(
        "segment_memberships_open_key",
        "segment_memberships",
        ["segment_id", "contact_id"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_table(
        "content_links",
        sa.Column("content_version_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("dynamic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_version_id"],
            ["content_versions.id"],
            name=op.f("content_links_content_version_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("content_version_id", "position", name=op.f("content_links_pkey")),
    )
    for number in range(EVENT_KEY_PARTITIONS):
        op.execute(
            f"create table event_keys_{number} partition of event_keys "
            f"for values with (modulus {EVENT_KEY_PARTITIONS}, remainder {number})"
        )


def downgrade() -> None:
    op.drop_table("content_links")
    op.drop_index(
        "segment_memberships_open_key", table_name="segment_memberships", postgresql_where=sa.text("left_at is null")
    )
    op.drop_index(
        "segment_memberships_expiry_idx",
        table_name="segment_memberships",
        postgresql_where=sa.text("left_at is null and expires_at is not null"),
    )
    op.drop_index("segment_memberships_contact_idx", table_name="segment_memberships")
    op.drop_table("segment_memberships")
    op.drop_index(
        "list_memberships_open_key", table_name="list_memberships", postgresql_where=sa.text("removed_at is null")
    )
    op.drop_index("list_memberships_contact_idx", table_name="list_memberships")
    op.drop_table("list_memberships")
    op.drop_table("journey_versions")
    op.drop_table("content_versions")
    op.drop_index(op.f("contact_identities_contact_id_idx"), table_name="contact_identities")
    op.drop_table("contact_identities")
    op.drop_table("workspace_settings")
    op.drop_table("users")
    op.drop_table("topics")
    op.drop_table("suppressions")
    op.drop_table("step_rollups")
    op.drop_index("step_log_enrolment_idx", table_name="step_log")
    op.drop_table("step_log")
    op.drop_table("segments")
    op.drop_table("schedule_slots")
    op.drop_index("messages_sending_idx", table_name="messages", postgresql_where=sa.text("state = 'sending'"))
    op.drop_index("messages_queue_idx", table_name="messages", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index("messages_contact_idx", table_name="messages")
    op.drop_table("messages")
    op.drop_table("message_rollups")
    op.drop_index("local_messages_received_idx", table_name="local_messages")
    op.drop_index(op.f("local_messages_message_token_idx"), table_name="local_messages")
    op.drop_table("local_messages")
    op.drop_table("lists")
    op.drop_table("leases")
    op.drop_table("journeys")
    op.drop_table("imports")
    op.drop_index("hits_pending_idx", table_name="hits", postgresql_where=sa.text("classification is null"))
    op.drop_index("hits_message_idx", table_name="hits")
    op.drop_table("hits")
    op.drop_index("events_name_idx", table_name="events", postgresql_include=["contact_id"])
    op.drop_index("events_contact_idx", table_name="events")
    op.drop_table("events")
    op.drop_table("event_keys")
    op.drop_index("event_inbox_order_idx", table_name="event_inbox")
    op.drop_table("event_inbox")
    op.drop_table("event_definitions")
    op.drop_table("entry_rollups")
    op.drop_index("enrolments_due_idx", table_name="enrolments", postgresql_where=sa.text("status = 'active'"))
    op.drop_index("enrolments_contact_idx", table_name="enrolments")
    op.drop_table("enrolments")
    op.drop_index("credits_message_idx", table_name="credits")
    op.drop_table("credits")
    op.drop_table("costs")
    op.drop_index(
        "conversions_enrolment_idx", table_name="conversions", postgresql_where=sa.text("enrolment_id is not null")
    )
    op.drop_index("conversions_contact_idx", table_name="conversions")
    op.drop_table("conversions")
    op.drop_table("contents")
    op.drop_index("contacts_phone_idx", table_name="contacts")
    op.drop_index("contacts_email_idx", table_name="contacts")
    op.drop_table("contacts")
    op.drop_table("consent_states")
    op.drop_index("consent_events_contact_idx", table_name="consent_events")
    op.drop_table("consent_events")
    op.drop_table("clock")
    op.drop_table("change_inbox")
    op.drop_table("audit_log")
    op.drop_table("attribute_definitions")
    op.drop_table("api_keys")
    for name in SEQUENCES:
        op.execute(sa.schema.DropSequence(sa.Sequence(name)))
