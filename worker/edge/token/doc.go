// Package token mints and verifies the tokens (JWT) that an app's backend gives to its users. A token says which user a
// client session belongs to. The package reads no files, no environment and no clock, and sends nothing.
//
// The authority is the app. The holder of one of its signing keys can act for all users of that app, and for no user of
// another app.
//
// What it promises:
//
//  1. A token is accepted only if a key of the app that it names has signed it, with the algorithm of that key. The
//     algorithm in the token must match, but it selects nothing. The keys are those in RINGLINE_APPS at that moment: a
//     removed key stops working at once, and a new key works at once.
//  2. A token with a kid is verified with the key of that name only. A token without one is verified with each key of
//     its algorithm.
//  3. The claims sub, app, exp and aud are required. Parsing is strict: no duplicate names in the header or the claims,
//     and no numbers in quotes. Unknown claims are ignored. A header with crit is rejected.
//  4. Tokens that were issued before the not_before of their user are revoked. If the user has a not_before, tokens
//     without iat are revoked too.
//  5. ErrExpired means that only the expiry has passed, so a client should get a new token. After ErrRevoked or
//     ErrInvalid a new token from the same source may or may not help. After ErrUnavailable the same token may be
//     retried.
//  6. No error text contains a part of the token's claims, of its signature or of a key. It contains only the names of
//     fields, apps and keys.
//
// In short: the claims that Verify returns were signed by the holder of a key of that app, and they are valid now.
package token
