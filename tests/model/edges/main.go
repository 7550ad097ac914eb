// Command edges is an explicit-state model of how edges find out that a device is gone. Two edges serve one device, whose
// user is in a call. The checker visits every reachable state.
//
//	go run ./edges                  # with all rules
//	go run ./edges -without ages    # with one rule switched off: a shortest trace to a violation
//
// Time passes in ticks, as slowly as the environment likes: between two ticks any number of steps can happen. What a drop
// may do, when it comes late or twice, is in the model of the parent folder.
//
// Invariants:
//
//   - No false loss. When an edge judges the device gone, it was without a session for the grace period at some moment
//     since the edge asked. A device that comes back between the answers and the judgment is a known gap: a drop is valid
//     for 10 s only. Time in which no edge worked does not count.
//   - No forgotten loss. If the device stays away and an edge works, the party is out of the call in the end.
package main

import (
	"flag"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"strings"
)

// result is the outcome of a search.
type result struct {
	states    int
	violation string
	trace     []string
}

// node is a state with the node that it was reached from.
type node struct {
	state
	parent int
	what   string
}

// search visits every reachable state, and stops at the first violation. It knows visited states by a 64-bit hash.
func (m *model) search() (bad result) {
	seed, seen := maphash.MakeSeed(), map[uint64]bool{}
	nodes := []node{{state: m.initial(), parent: -1}}
	for i := 0; i < len(nodes) && bad.violation == ""; i++ {
		s := nodes[i].state
		m.successors(s, func(n state, what string) {
			h := maphash.Comparable(seed, n)
			wrong := falseLoss(&s, &n)
			if seen[h] && !wrong {
				return
			}
			seen[h] = true
			nodes = append(nodes, node{n, i, what})
			switch {
			case wrong:
				bad = result{violation: "false loss", trace: trace(nodes)}
			case m.forgotten(n):
				bad = result{violation: "forgotten loss", trace: trace(nodes)}
			}
		})
	}
	bad.states = len(nodes)
	return bad
}

// trace lists what happened from the initial state to the last node.
func trace(nodes []node) (list []string) {
	for n := nodes[len(nodes)-1]; n.parent >= 0; n = nodes[n.parent] {
		list = append(list, n.what)
	}
	slices.Reverse(list)
	return list
}

func main() {
	without := flag.String("without", "", "the rule to switch off: "+strings.Join(ruleNames[:], ", "))
	var m model
	flag.IntVar(&m.more, "more", 0, "more faults than two; then no node of the broker is cut off")
	flag.Parse()
	if *without != "" {
		i := slices.Index(ruleNames[:], *without)
		if i < 0 {
			fmt.Fprintf(os.Stderr, "edges: no rule %q; the rules are %s\n", *without, strings.Join(ruleNames[:], ", "))
			os.Exit(2)
		}
		m.off[i] = true
	}
	r := m.search()
	fmt.Printf("%d states\n", r.states)
	if r.violation != "" {
		fmt.Printf("%s:\n  %s\n", r.violation, strings.Join(r.trace, "\n  "))
		os.Exit(1)
	}
}
