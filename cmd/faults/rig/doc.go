// Package rig runs brokers and workers as processes of their own, with a link between any two of them, and breaks them.
//
// Every process is one of ours: its name tells it, it is ended by its id, and when the rig ends, however it does, the
// kernel ends what is left.
package rig
