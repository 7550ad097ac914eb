package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// appSettings is the schema of a value in the bucket of apps.
func appSettings() obj {
	return strict("App settings", "The value of an app's key in RINGLINE_APPS: settings that differ from the defaults, and settings for the sessions of "+
		"its users.",
		may("capacity", integer("How many calls a user's line holds. By default 1.", 1, at(events.MaxCapacity))),
		may("ring_timeout_s", integer("How long an invite or add without ring_timeout_s rings, in seconds. By default 60.",
			events.MinRingTimeoutS, at(events.MaxRingTimeoutS))),
		may("max_callees", integer(fmt.Sprintf("How many callees a call may have in total. By default %d.", events.MaxCallees),
			1, at(events.MaxCallees))),
		may("max_duration_s", integer("How long a call may last from its creation, in seconds. By default 43200 (12 h).",
			1, at(events.MaxDurationS))),
		may("commands_per_s", integer(fmt.Sprintf("How many commands per second all senders of the app may send together. By default %d. Invitations and "+
			"adds get at most 80 %% of it, and count once for each callee. A command that finds no call counts ten times. A command above the limit is rate_limited.", events.DefaultCommandsPerS), 1, at(events.MaxCommandsPerS))),
		may("bytes_per_s", integer(fmt.Sprintf("How many bytes per second the whole app may store. A command counts with its body or with the transition that it causes, "+
			"whichever is larger. By default %d (2 MiB).", events.DefaultBytesPerS), events.MinBytesPerS, at(events.MaxBytesPerS))),
		may("api_slots", integer(fmt.Sprintf("How many requests of the app one api processes at the same time. By default %d.", events.DefaultAPISlots),
			1, at(events.MaxAPISlots))),
		may("pair_invites_per_min", integer(fmt.Sprintf("How often per minute the sessions of a caller may invite the same callee. By default %d. "+
			"It does not limit the backend.", events.DefaultPairInvitesPerMin), 1, at(events.MaxPairInvitesPerMin))),
		may("ringing_per_caller", integer(fmt.Sprintf("How many callees of the sessions of one user may ring at the same time. By default %d. "+
			"It does not limit the backend.", events.DefaultRingingPerCaller), 1, at(events.MaxRingingPerCaller))),
		may("reach_s", integer(fmt.Sprintf("How long the devices of a callee have to confirm with ring that they ring, in seconds, from when the invitation is "+
			"handled. Otherwise the callee is timed_out with the reason not_reached, and their line is free. 0 or %d to %d. By default 0: no limit.",
			events.MinReachS, events.MaxReachS), 0, at(events.MaxReachS), member{"not", obj{{"minimum", 1}, {"maximum", events.MinReachS - 1}}})),
		may("lost_ringing_s", integer(fmt.Sprintf("How long the caller's device may be without a session while the call rings, in seconds. Then the caller "+
			"leaves with reason lost. Only for callers who invited from a session. By default %d. 0: never.", events.DefaultLostRingingS), 0, at(events.MaxLostS))),
		may("lost_active_s", integer(fmt.Sprintf("How long the device of a party may be without a session in an active call, in seconds. Then the party leaves "+
			"with reason lost. Only for parties who came in from a session. By default %d. 0: never.", events.DefaultLostActiveS), 0, at(events.MaxLostS))),
		may("lost_away_s", integer(fmt.Sprintf("The same for a device that has said that it is away, in seconds, in both phases. By default %d. 0: never.",
			events.DefaultLostAwayS), 0, at(events.MaxLostAwayS))),
		may("service_call_prefix", str(fmt.Sprintf("Call ids that begin with it are reserved for the app's backend: a session can neither invite with one nor "+
			"take one out of use. By default %s. Characters: A-Z a-z 0-9 _ -.", events.DefaultServiceCallPrefix),
			member{"maxLength", events.MaxCallPrefix}, member{"pattern", "^[A-Za-z0-9_-]+$"})),
		may("end_when_alone", oneOf(fmt.Sprintf("When an active call ends in which a party leaves only one other behind while callees still ring. By default %s.",
			events.AloneAtLastRing), events.EndsWhenAlone(), aloneMeaning)),
		may("room_id_from", oneOf(fmt.Sprintf("Which senders of an invitation may choose its room_id. By default %s.", events.RoomIDFromAny),
			events.RoomIDsFrom(), roomMeaning)),
		may("token_keys", list(obj{{"$ref", ref("part/token_key")}}, fmt.Sprintf("The keys that verify the tokens of the app's users, the newest last. "+
			"At most %d of HS256. Without any key there are no sessions.", events.MaxSecrets), member{"maxItems", events.MaxTokenKeys})),
		may("origins", list(origin(), "The pages that may open sessions, as browsers send them in the header Origin, without duplicates.",
			member{"maxItems", events.MaxOrigins}, member{"uniqueItems", true})),
		may("not_before", obj{
			{"description", fmt.Sprintf("By user id: tokens of that user that were issued before this time are revoked. At most %d users.", events.MaxNotBefore)},
			{"type", "object"},
			{"maxProperties", events.MaxNotBefore},
			{"propertyNames", name("A user.")},
			{"additionalProperties", dateTime("Tokens issued before this time are revoked.")},
		}),
	)
}

func aloneMeaning(x events.EndWhenAlone) string {
	switch x {
	case events.AloneAtLastRing:
		return "When no callee rings anymore. Until then, one of them may still answer."
	case events.AloneNow:
		return "At once. The callees who ring are canceled."
	}
	return ""
}

func roomMeaning(x events.RoomIDFrom) string {
	switch x {
	case events.RoomIDFromAny:
		return "All. A media backend must not grant access to a room because of it."
	case events.RoomIDFromService:
		return "Only those outside of client sessions. From a session, an invitation with a room_id is invalid_argument."
	}
	return ""
}

func origin() obj {
	return str("scheme://host or scheme://host:port, in lower case, without the default port of the scheme and without wildcards.",
		member{"maxLength", events.MaxOrigin}, member{"pattern", events.OriginPattern})
}

func tokenKey() obj {
	const secret = "^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$"
	return strict("Token key", "A key that verifies the tokens of an app's users. A token is accepted only with the algorithm of its key.",
		need("kid", token("The name of the key, in the header of a token. It is unique within an app.")),
		need("alg", oneOf("How tokens are signed.", events.TokenAlgs(), tokenAlgMeaning)),
		may("secret", str(fmt.Sprintf("For HS256: %d to %d bytes as base64url without padding. Its owner can act as every user of the app.",
			events.MinSecret, events.MaxSecret),
			member{"minLength", 43}, member{"maxLength", 683}, member{"pattern", secret})),
		may("public_key", str("For EdDSA and ES256: the public key as one PEM block (PKIX).",
			member{"maxLength", events.MaxPublicKey}, member{"pattern", "^-----BEGIN PUBLIC KEY-----"})),
	).with(member{"oneOf", []obj{
		has("alg", events.AlgHS256).with(member{"allOf", []obj{requires("secret"), {{"properties", obj{{"public_key", false}}}}}}),
		has("alg", events.AlgEdDSA, events.AlgES256).with(member{"allOf", []obj{requires("public_key"), {{"properties", obj{{"secret", false}}}}}}),
	}})
}

func tokenAlgMeaning(a events.TokenAlg) string {
	switch a {
	case events.AlgHS256:
		return "With a secret that the app's backend and Ringline share."
	case events.AlgEdDSA:
		return "With an Ed25519 key, whose private half only the backend has."
	case events.AlgES256:
		return "With a key on the curve P-256, whose private half only the backend has."
	}
	return ""
}
