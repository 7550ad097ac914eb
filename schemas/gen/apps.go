package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// appSettings is the schema of a value in the bucket of apps.
func appSettings() obj {
	return strict("App settings", "The value of an app's key in RINGLINE_APPS: what it changes of the defaults, and what the sessions of "+
		"its users need.",
		may("capacity", integer("How many calls a user's line holds; by default 1.", 1, at(events.MaxCapacity))),
		may("ring_timeout_s", integer("How long an invite or add rings that does not say, in seconds; by default 60.",
			events.MinRingTimeoutS, at(events.MaxRingTimeoutS))),
		may("max_callees", integer(fmt.Sprintf("How many callees a call may have, all in all; by default %d.", events.MaxCallees),
			1, at(events.MaxCallees))),
		may("max_duration_s", integer("How long a call may last from its creation, in seconds; by default 43200 (12 h).",
			1, at(events.MaxDurationS))),
		may("commands_per_s", integer(fmt.Sprintf("How many commands a second the whole app may send, whoever sends them; by default %d. Invitations and "+
			"adds get at most 80 %% of it, and count once for each callee; a command that finds no call counts ten times. One above it is rate_limited.", events.DefaultCommandsPerS), 1, at(events.MaxCommandsPerS))),
		may("bytes_per_s", integer(fmt.Sprintf("How many bytes a second the whole app may have stored, each command counted by its body or by the transition that it makes, "+
			"whichever is larger; by default %d (2 MiB).", events.DefaultBytesPerS), events.MinBytesPerS, at(events.MaxBytesPerS))),
		may("api_slots", integer(fmt.Sprintf("How many requests of the app one api has under way at once; by default %d.", events.DefaultAPISlots),
			1, at(events.MaxAPISlots))),
		may("pair_invites_per_min", integer(fmt.Sprintf("How often a minute a caller's sessions may invite the same callee; by default %d. "+
			"The backend is not limited by it.", events.DefaultPairInvitesPerMin), 1, at(events.MaxPairInvitesPerMin))),
		may("ringing_per_caller", integer(fmt.Sprintf("How many callees the sessions of one user may make ring at once; by default %d. "+
			"The backend is not limited by it.", events.DefaultRingingPerCaller), 1, at(events.MaxRingingPerCaller))),
		may("service_call_prefix", str(fmt.Sprintf("Call ids that begin with it belong to the app's backend: a session can neither invite with one nor "+
			"take one out of use; by default %s. A to Z, a to z, 0 to 9, _ and -.", events.DefaultServiceCallPrefix),
			member{"maxLength", events.MaxCallPrefix}, member{"pattern", "^[A-Za-z0-9_-]+$"})),
		may("token_keys", list(obj{{"$ref", ref("part/token_key")}}, fmt.Sprintf("What the tokens of the app's users are checked with, the newest last; "+
			"at most %d of HS256. Without any there are no sessions.", events.MaxSecrets), member{"maxItems", events.MaxTokenKeys})),
		may("origins", list(origin(), "The pages that may open sessions, as browsers name them in the header Origin; no entry twice.",
			member{"maxItems", events.MaxOrigins}, member{"uniqueItems", true})),
		may("not_before", obj{
			{"description", fmt.Sprintf("By user id: a token of that user that was issued before is revoked. At most %d users.", events.MaxNotBefore)},
			{"type", "object"},
			{"maxProperties", events.MaxNotBefore},
			{"propertyNames", name("A user.")},
			{"additionalProperties", moment("Since when.")},
		}),
	)
}

func origin() obj {
	return str("scheme://host or scheme://host:port, in lower case, without the port that the scheme has anyway; no wildcards.",
		member{"maxLength", events.MaxOrigin}, member{"pattern", events.OriginPattern})
}

func tokenKey() obj {
	const secret = "^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$"
	return strict("Token key", "What the tokens of an app's users are checked with. A token is accepted only with the algorithm of its key.",
		need("kid", token("Its name, in the header of a token. No two keys of an app have the same.")),
		need("alg", oneOf("How tokens are signed.", events.TokenAlgs(), tokenAlgMeaning)),
		may("secret", str(fmt.Sprintf("Of HS256: %d to %d bytes as base64url without padding. Whoever has it speaks for every user of the app.",
			events.MinSecret, events.MaxSecret),
			member{"minLength", 43}, member{"maxLength", 683}, member{"pattern", secret})),
		may("public_key", str("Of EdDSA and ES256: the public key as one block of PEM (PKIX).",
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
