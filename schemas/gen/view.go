package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// view is the schema of a call as its reader may see it. Version 1 is the call in a transition of format 1.
func view(version int) obj {
	fields := []field{
		need("call_id", token("The call.")),
		need("app", token("The app that the call belongs to.")),
		need("room_id", name("The media room of the invitation. By default the call id.")),
		need("call_type", callType("What the call is for.")),
		need("state", oneOf("The state of the call. It never goes back.", callStates(), callStateMeaning)),
		need("seq", integer("Counts the call's transitions from 1. Of two views of a call, the one with the greater seq is newer.", 1)),
		may("caller", is(versioned("part/caller", version), "The user who sent the invitation. Absent if end_reason is failed.")),
		need("callees", list(obj{{"$ref", ref(versioned("part/callee", version))}}, "The invited users, in the order in which they were first named.",
			member{"maxItems", events.MaxCallees})),
		may("custom_data", customData("That of the invitation. All parties receive it.")),
	}
	if version > 1 {
		fields = append(fields, may("custom", laterData()))
	}
	fields = append(fields,
		need("created_at", dateTime("When the invitation was stored.")),
		need("expires_at", dateTime("created_at plus the maximum duration. No ring deadline is later. An active call ends at this time.")),
		may("answered_at", dateTime("When the first callee answered.")),
		may("ended_at", dateTime("When the call ended. Set after the end.")),
		may("end_reason", oneOf("Why the call ended. Set after the end.", events.EndReasons(), endReasonMeaning)),
		may("ended_by", is("part/by", "The actor that ended the call. Set after the end.")),
		may("merged_into", token("The other call, if end_reason is merged.")),
	)
	return open(titled("View", version), "A call after one of its transitions, as its reader may see it. The caller and services receive all of it. "+
		"All others receive it without the custom_data and device_id of other users.", fields...,
	).with(member{"allOf", []obj{
		when(has("state", events.CallStateEnded), requires("ended_at", "end_reason", "ended_by")),
		when(has("state", events.CallStateRinging, events.CallStateActive), requires("caller")),
		when(has("state", events.CallStateActive), requires("answered_at")),
		when(has("end_reason", events.EndMerged), requires("merged_into")),
	}})
}

// laterData is the schema of the custom data of transitions after the invitation.
func laterData() obj {
	return obj{
		{"description", fmt.Sprintf("The custom data that later transitions carried and that applies to a callee, by the seq of the transition: "+
			"callees[].custom_seq refers to it. At most %d bytes in total, counted as written between their quotes in the JSON. "+
			"A reader receives the entries that they may see: the caller and services all, a callee their own.", events.MaxCustom)},
		{"type", "object"},
		{"maxProperties", events.MaxCallees},
		{"propertyNames", str("The seq of a transition.", member{"pattern", "^[1-9][0-9]*$"})},
		{"additionalProperties", customData("That of the transition.")},
	}
}
