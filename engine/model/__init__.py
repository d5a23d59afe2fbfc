"""Tables, one noun per file. Importing this package registers all of them on `Base.metadata`."""

from engine.model.attribution import Conversion, Cost, Credit
from engine.model.audience import List, ListMembership, Segment, SegmentExpiry, SegmentMembership
from engine.model.base import Base, new_public_id
from engine.model.blocks import MessageBlocks
from engine.model.campaign import Campaign, CampaignArm, CampaignContact, CampaignWave
from engine.model.consent import (
    ConsentEvent,
    ConsentPause,
    ConsentRequest,
    ConsentState,
    LeavingReason,
    Suppression,
    Topic,
    Wording,
)
from engine.model.contact import AttributeDefinition, Contact, ContactIdentity
from engine.model.content import Content, ContentLink, ContentVersion
from engine.model.direct import DirectSend
from engine.model.event import ChangeInbox, Event, EventDefinition, EventInbox, EventKey
from engine.model.feed import Feed, Product
from engine.model.form import Form
from engine.model.habit import ContactHour
from engine.model.identity import Identity, WarmUp
from engine.model.journey import Enrolment, EntryInbox, Journey, JourneyVersion, SplitWinner, StepLog
from engine.model.message import LocalMessage, Message, MessageClaim
from engine.model.rate import Rate
from engine.model.receipt import Receipt, ReceiptMail, StreamPause
from engine.model.report import EntryRollup, HitRollup, MessageRollup, StepRollup, WithheldRollup
from engine.model.snippet import Snippet, SnippetVersion
from engine.model.system import ApiFailure, ApiKey, AuditLog, Clock, Import, Lease, ScheduleSlot, User, WorkspaceSetting
from engine.model.texting import GatewayReference, IncomingText, TextPart
from engine.model.tracking import Hit
from engine.model.webhook import Delivery, Webhook

__all__ = [
    "ApiFailure",
    "ApiKey",
    "AttributeDefinition",
    "AuditLog",
    "Base",
    "Campaign",
    "CampaignArm",
    "CampaignContact",
    "CampaignWave",
    "ChangeInbox",
    "Clock",
    "ConsentEvent",
    "ConsentPause",
    "ConsentRequest",
    "ConsentState",
    "Contact",
    "ContactHour",
    "ContactIdentity",
    "Content",
    "ContentLink",
    "ContentVersion",
    "Conversion",
    "Cost",
    "Credit",
    "Delivery",
    "DirectSend",
    "Enrolment",
    "EntryInbox",
    "EntryRollup",
    "Event",
    "EventDefinition",
    "EventInbox",
    "EventKey",
    "Feed",
    "Form",
    "GatewayReference",
    "Hit",
    "HitRollup",
    "Identity",
    "Import",
    "IncomingText",
    "Journey",
    "JourneyVersion",
    "Lease",
    "LeavingReason",
    "List",
    "ListMembership",
    "LocalMessage",
    "Message",
    "MessageBlocks",
    "MessageClaim",
    "MessageRollup",
    "Product",
    "Rate",
    "Receipt",
    "ReceiptMail",
    "ScheduleSlot",
    "Segment",
    "SegmentExpiry",
    "SegmentMembership",
    "Snippet",
    "SnippetVersion",
    "SplitWinner",
    "StepLog",
    "StepRollup",
    "StreamPause",
    "Suppression",
    "TextPart",
    "Topic",
    "User",
    "WarmUp",
    "Webhook",
    "WithheldRollup",
    "Wording",
    "WorkspaceSetting",
    "new_public_id",
]
