// Package mutant plants defects in a build that is made to be caught: `make mutants` builds Ringline with the tag
// mutants, once with each of them, and shows which check of the fault harness finds it. In every other build Planted is
// false for ever, and the compiler leaves nothing of it.
package mutant

// Defect is a defect that can be planted.
type Defect string

// The defects, each the breach of a rule of DESIGN, section 2.
const (
	AckBeforeCommit   Defect = "ack-before-commit"   // a command is acknowledged before it is carried out
	NoExpectedSeq     Defect = "no-expected-seq"     // a commit goes through whatever the call has become
	NoMemory          Defect = "no-memory"           // no call remembers the commands that made it
	NoDeadline        Defect = "no-deadline"         // no deadline is written
	NotifyFirst       Defect = "notify-first"        // users are told before the commit
	ClaimsUnordered   Defect = "claims-unordered"    // lines are claimed in any order
	NoFence           Defect = "no-fence"            // a claim is taken over without moving its call on
	NoFenceOfUnknown  Defect = "no-fence-of-unknown" // a hang-up that finds no call does not take its id out of use
	RefusalToldFirst  Defect = "refusal-told-first"  // a refusal is told before its command is acknowledged
	StaleRefusal      Defect = "stale-refusal"       // a refusal is decided by what any replica says
	ExpireTrustsDue   Defect = "expire-trusts-due"   // expire times out whoever pends, whatever his deadline
	LinesNotReleased  Defect = "lines-not-released"  // nobody is taken off his line
	RepeatDoesNothing Defect = "repeat-does-nothing" // a command seen before is answered, and what its worker left undone stays so
	GivesUp           Defect = "gives-up"            // a command that was put back twice is dropped

	SnapshotBeforeSubscription Defect = "snapshot-before-subscription" // a session reads its snapshot, and hears its user after that
)

// All lists them.
func All() []Defect {
	return []Defect{
		AckBeforeCommit, NoExpectedSeq, NoMemory, NoDeadline, NotifyFirst, ClaimsUnordered, NoFence, NoFenceOfUnknown,
		RefusalToldFirst, StaleRefusal, ExpireTrustsDue, LinesNotReleased, RepeatDoesNothing, GivesUp,
		SnapshotBeforeSubscription,
	}
}
