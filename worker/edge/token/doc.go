// Package token says who a client session belongs to: it mints and checks the tokens (JWT) that an app's backend
// gives its users. It reads no files, no environment and no clock, and sends nothing.
//
// The authority is the app: whoever has one of its signing keys speaks for all of its users, and for no other app's.
//
// What it promises:
//
//  1. A token is accepted only if one of the keys of the app that it names has signed it, with the algorithm of that
//     key. What the token says of its algorithm only has to agree: it chooses nothing. The keys are those in
//     RINGLINE_APPS at that moment, so a key that was removed is of no use from then on, and a new one is at once.
//  2. With a kid it is checked with the key of that name and no other; without one, with each key of its algorithm.
//  3. sub, app, exp and aud are required, and everything that is read is read strictly: no name twice in the header or
//     the claims, no number in quotes. What it does not know in the claims it ignores; a header with crit it refuses.
//  4. A user's tokens that were issued before his not_before are revoked, and so are those that don't say when.
//  5. ErrExpired means that nothing is wrong but the time: a client that gets it does well to fetch a new token. With
//     ErrRevoked and ErrInvalid a new token from the same source may help or not; with ErrUnavailable nobody knows, and
//     the same token may be tried again.
//  6. No error holds a piece of the token's claims or of its signature, or of a key: only the names of fields, of apps
//     and of keys.
//
// In a plain sentence: the claims that Verify gives are those that somebody signed who has a key of that app, and they
// are in force now.
package token
