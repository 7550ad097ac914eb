package gate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"ringline.io/ringline/worker/gate"
)

func TestAppsWaitOnlyForThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(2, 3)
		enter := func(app string) func() {
			leave, err := g.Enter(t.Context(), app)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		first, second := enter("many"), enter("many")
		var third func()
		go func() { third = enter("many") }()
		synctest.Wait()
		if third != nil {
			t.Fatal("a third thing of an app at once, want two")
		}
		other := enter("other") // does not wait
		var more func()
		go func() { more = enter("more") }()
		synctest.Wait()
		if more != nil {
			t.Fatal("a fourth thing at once, want three")
		}
		other()
		synctest.Wait()
		if more == nil || third != nil {
			t.Fatalf("the free slot goes to %v, want the app that has none", third != nil)
		}
		first()
		synctest.Wait()
		if third == nil {
			t.Fatal("nothing of the first app although one is done")
		}
		second()
		third()
		more()
	})
}

func TestCanceledWaiterHoldsNothing(t *testing.T) {
	for _, of := range []struct {
		name      string
		each, all int
		holder    string
	}{{"of the app", 1, 0, "app"}, {"of all", 1, 1, "other"}} {
		t.Run(of.name, func(t *testing.T) {
			g := gate.New(of.each, of.all)
			leave, err := g.Enter(t.Context(), of.holder)
			if err != nil {
				t.Fatal(err)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := g.Enter(over, "app"); !errors.Is(err, context.Canceled) {
				t.Fatalf("entered: %v, want that the wait was given up", err)
			}
			leave()
			again, err := g.Enter(t.Context(), "app")
			if err != nil {
				t.Fatal(err)
			}
			again()
		})
	}
}
