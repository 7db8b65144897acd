// Package modeltest has models that say what a test wants, in two forms: a
// [Provider] in Go, and a [Server] on loopback that speaks the wires of
// OpenAI-compatible endpoints and of Anthropic. Both play the same [Script].
//
//	script := modeltest.Turns(
//		modeltest.Call("set_plan", map[string]any{"items": []string{"Darken"}}),
//		modeltest.Call("derive_dark_theme", nil).Split(1), // the stream comes byte by byte
//		modeltest.Call("finish", map[string]any{"summary": "Done"}).Cut(-20),
//	)
//	p := modeltest.NewProvider(modeltest.Everything, script)  // no network
//	s := modeltest.NewServer(t, script)                       // s.OpenAI() and s.Anthropic() are base URLs
//
// A turn that depends on what was said is a Script of its own:
//
//	modeltest.Script(func(n int, r model.Request) modeltest.Turn {
//		return modeltest.Say("you have " + r.Messages[len(r.Messages)-1].Text)
//	})
//
// What went wrong in the world, and how to have it here:
//
//	malformed arguments      RawCall("set_text", `{"id":`)
//	unknown ids of layers    Call("set_text", …) as it is
//	calls without ids        .NoIDs()        the same id twice: With(Calls(…)) with equal IDs
//	parallel calls           Calls(a, b, …)
//	calls as text            Say(`<tool_call>{"name": …}</tool_call>`)
//	a refusal                Refuse("I would rather not")
//	an empty reply           Turn{}
//	the same without end     Always(Call(…)) turn after turn; Endless("na ") within one reply
//	huge replies             Say(strings.Repeat("x", 64<<20))
//	invalid UTF-8            Say("\xff\xfe"): the bytes go out as they are
//	a cut stream             .Cut(n) behind n bytes, .Cut(-n) before the last n
//	silence                  .Stall() after Cut's bytes, or before the first
//	a late beginning         .Late(2 * time.Second)
//	split anywhere           .Split(1)
//	no stream at all         .Whole(): one JSON document, whatever was asked for
//	no last finish, no usage .Unfinished(), .NoUsage()
//	a page of HTML, nonsense Raw("text/html", "<html>…")
//	429, 500, 401, …         Limited(7), Broken(), Denied(), Overflow(), NoAutoTools(), NoTools(), NoModel("x"), Fault(status, kind, message)
//
// [Provider] knows nothing of wires: there faults are the problems that a good
// provider would make of them, and a cut stream is CutOff.
package modeltest
