// Package bench measures Ringline, and the broker's limit beside it in the same run.
//
// Calls of a mix are played: one after another for the time that an idle system needs (idle), as many beside each other as
// are asked for (closed), or as they arrive at a rate, whether or not those before are done (open). With the last one the time
// counts from when a call was due to begin, so that a system that stalls doesn't hide how long others waited for it.
//
// The floor is the same broker operations without Ringline. What they are nobody wrote down: a census lets every command of
// the mix pass alone while a plain subscription to everything sees what passes on the broker, and takes from it which
// messages of which size go to which stream, and which of them wait for which. The floor replays just that, on copies of the
// streams with the same configuration, through clients of the same library. Then it is counted in the same way, and a floor
// that does more than was counted is an error.
package bench
