package token_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// A backend mints a token for a user who is logged in, and an edge verifies it.
func Example() {
	key := token.Generate("k1") // `ringline app key add demo --hs256` generates such a key and stores it
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

	signing, err := token.Secret(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := token.Mint(signing, token.Claims{
		App: "demo", UserID: "ann", UserName: "Ann", IssuedAt: now, Expires: now.Add(time.Hour),
	}, "")
	if err != nil {
		fmt.Println(err)
		return
	}

	verifier := token.New(func(_ context.Context, app string) (events.AppSettings, bool, error) {
		return events.AppSettings{TokenKeys: []events.TokenKey{key}}, app == "demo", nil
	}, "")
	claims, err := verifier.Verify(context.Background(), raw, now)
	fmt.Println(claims.App, claims.UserID, claims.Expires.Format(time.TimeOnly), err)

	_, err = verifier.Verify(context.Background(), raw, now.Add(time.Hour))
	fmt.Println(errors.Is(err, token.ErrExpired), err)
	// Output:
	// demo ann 11:00:00 <nil>
	// true token: expired
}
