// Package abuse sends what bad clients send to an edge, one kind after another and all together, and measures meanwhile
// how long honest clients wait.
//
// What it promises:
//
//  1. Every attempt has one outcome: the code that the edge gave, or what else became of it. An outcome that its kind does
//     not expect is a violation, and so is a kind of which no attempt met what must stop it.
//  2. Each kind comes from an address of its own, below 127.0.0.0/8, at a rate that is bounded.
//  3. The honest pairs ring, answer and end calls all the time, through the same edge.
package abuse
