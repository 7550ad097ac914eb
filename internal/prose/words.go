package prose

// rule names words to avoid, as a regular expression, and better ones.
type rule struct{ words, better string }

// rules lists the words to avoid. Upper and lower case are equal, and an expression matches whole words.
func rules() []rule {
	return []rule{
		{`whom|whoever`, "who, that, or a noun such as the sender"},
		{`nobody|somebody`, "no user, another party, or a noun"},
		{`he|his|him|himself`, "they, their, or a noun; it for programs"},
		{`beside`, "next to, in addition to, concurrent"},
		{`(?:is|are|was|were|be|been) told`, "receives, is notified"},
		{`(?:put|puts|putting) back`, "nak with a delay, return"},
		{`in hand`, "in flight"},
		{`[a-z]+ anew`, "again; recreated"},
		{`(?:stand|stands|stood) still`, "is paused, makes no progress"},
		{`stands for itself`, "leave it out"},
		{`(?:come|comes|came) to nothing`, "has no effect, is discarded"},
		{`time (?:is|was) over`, "expired, after the deadline"},
		{`defects? of ours`, "a bug in Ringline, internal error"},
		{`passed over`, "ignored, skipped"},
		{`behaviour|cancelled|whilst|amongst`, "American spelling"},
	}
}

// allowed lists text that may contain such words: names that are not ours, and names in stored files.
func allowed() []string {
	return []string{
		"http.NoBody",
		`json:"beside"`, // in the reports of bench
	}
}

// skipped lists files and folders with foreign, generated or historic text. A name without a slash matches in any folder.
func skipped() []string {
	return []string{
		"LICENSE", "go.sum", "go.work.sum", "package-lock.json", "node_modules", "internal/prose",
		"clients/js/dist", "clients/js/testdata",
	}
}
