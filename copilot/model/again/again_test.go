package again_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/again"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestOverloadedModelIsAskedAgainWhenItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := modeltest.NewProvider(modeltest.Everything, modeltest.Turns(modeltest.Limited(7), modeltest.Broken(), modeltest.Say("x").Cut(3), modeltest.Say("ok")))
		begun := time.Now()
		got, err := again.New(inner).Complete(t.Context(), model.Request{}, func(string) {})
		if err != nil || got.Text != "ok" {
			t.Errorf("got %+v, %v", got, err)
		}
		// 7 s as it says, then 2 to 4 s and 4 to 8 s of backoff.
		if took := time.Since(begun); took < 11*time.Second || took > 19*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}

func TestWhatAnotherTryDoesNotMendIsToldAtOnce(t *testing.T) {
	for what, turn := range map[string]modeltest.Turn{
		"a key": modeltest.Denied("x"), "a length": modeltest.Overflow(), "no protocol": modeltest.Raw("", ""), "a long wait": modeltest.Limited(31),
	} {
		synctest.Test(t, func(t *testing.T) {
			inner := modeltest.NewProvider(modeltest.Everything, modeltest.Always(turn))
			begun := time.Now()
			if _, err := again.New(inner).Complete(t.Context(), model.Request{}, nil); err == nil || len(inner.Requests()) != 1 || time.Since(begun) != 0 {
				t.Errorf("%s: %v after %d requests in %v", what, err, len(inner.Requests()), time.Since(begun))
			}
		})
	}
}

func TestItGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := modeltest.NewProvider(modeltest.Everything, modeltest.Always(modeltest.Broken()))
		if _, err := again.New(inner).Complete(t.Context(), model.Request{}, nil); problem.CodeOf(err) != problem.Overloaded || len(inner.Requests()) != 4 {
			t.Errorf("%v after %d requests", err, len(inner.Requests()))
		}
	})
}

func TestNobodyWaitsForWhatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := again.New(modeltest.NewProvider(modeltest.Everything, modeltest.Always(modeltest.Limited(20))))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := p.Complete(ctx, model.Request{}, nil); problem.CodeOf(err) != problem.Overloaded || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun = time.Now()
		if _, err := p.Complete(ctx, model.Request{}, nil); problem.CodeOf(err) != problem.Overloaded || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// A half says something before it breaks.
type half struct{ asked int }

func (h *half) Info() model.Info { return model.Info{} }

func (h *half) Complete(_ context.Context, _ model.Request, said func(string)) (model.Reply, error) {
	h.asked++
	said("I ")
	return model.Reply{}, problem.New(problem.Overloaded, "cut off").WithSlug(model.CutOff)
}

func TestNothingIsSaidTwice(t *testing.T) {
	h := &half{}
	var said string
	if _, err := again.New(h).Complete(t.Context(), model.Request{}, func(s string) { said += s }); err == nil || said != "I " || h.asked != 1 {
		t.Errorf("said %q in %d requests, %v", said, h.asked, err)
	}
}
