package daemon

import (
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Role is a part of the work that a process takes on.
type Role string

// The roles. Without a choice a process has all of them.
const (
	RoleAPI     Role = "api"     // answers requests, and hands on what it can't answer
	RoleConnect Role = "connect" // reads sources, plans, keeps schedules: one process at a time, which holds the ledger
	RoleRender  Role = "render"  // draws what is planned
	RoleDeliver Role = "deliver" // tells sinks
)

var allRoles = []Role{RoleAPI, RoleConnect, RoleRender, RoleDeliver}

// Roles are those of one process; none stands for all.
type Roles []Role

// ParseRoles reads names with commas between them.
func ParseRoles(text string) (Roles, error) {
	var roles Roles
	for name := range strings.SplitSeq(text, ",") {
		roles = append(roles, Role(strings.TrimSpace(name)))
	}
	var list problem.List
	for _, p := range roles.problems() {
		list = append(list, p.At("--roles"))
	}
	return roles, list.Err()
}

// Has reports whether r is among them.
func (r Roles) Has(one Role) bool { return len(r) == 0 || slices.Contains(r, one) }

// Partial reports whether a role is not among them.
func (r Roles) Partial() bool {
	return slices.ContainsFunc(allRoles, func(one Role) bool { return !r.Has(one) })
}

// Member reports whether a process with them works beside the one that holds the ledger.
func (r Roles) Member() bool { return !r.Has(RoleConnect) }

func (r Roles) names() []string {
	names := []string{}
	for _, one := range allRoles {
		if r.Has(one) {
			names = append(names, string(one))
		}
	}
	return names
}

func (r Roles) String() string { return strings.Join(r.names(), ", ") }

// problems are those of names.
func (r Roles) problems() []*problem.Error {
	var known []string
	for _, one := range allRoles {
		known = append(known, string(one))
	}
	var found []*problem.Error
	for i, one := range r {
		switch {
		case !slices.Contains(allRoles, one):
			p := problem.New(problem.Invalid, "there is no role %q", string(one)).WithHint("the roles are %s", list(known))
			if near, ok := config.Nearest(string(one), known); ok {
				p.WithHint("did you mean %q?", near)
			}
			found = append(found, p)
		case slices.Contains(r[:i], one):
			found = append(found, problem.New(problem.Invalid, "the role %q stands here twice", string(one)).WithHint("leave one out"))
		}
	}
	return found
}

// With is s run by a process with other roles than those it names; none changes nothing.
func (s *Settings) With(roles Roles) (*Settings, error) {
	if len(roles) == 0 {
		return s, nil
	}
	own := *s
	own.Roles = roles
	var list problem.List
	for _, p := range own.unfit() {
		p.Message = "with --roles " + strings.ReplaceAll(roles.String(), " ", "") + ", " + p.Message
		list = append(list, p)
	}
	return &own, list.Err()
}

// unfit is what a part of the roles can't be run with.
func (s *Settings) unfit() []*problem.Error {
	if !s.Roles.Partial() {
		return nil
	}
	var list []*problem.Error
	if !s.Store.Shared() {
		list = append(list, problem.New(problem.Invalid, "the store has to be in PostgreSQL: with SQLite one process does everything").At("store.url").
			WithHint("set store.url to postgres://…, or leave the roles out"))
	}
	// One that only draws hands out no address.
	if s.Server.PublicURL == "" && !(len(s.Roles) == 1 && s.Roles[0] == RoleRender) {
		list = append(list, problem.New(problem.Invalid, "server.public_url has to be set: several processes hand out the addresses of images, and they have to be the same").
			At("server.public_url").WithHint("write the address under which those with the role api are reached, as in https://images.example.com"))
	}
	return list
}

// roleProblems are those of the section roles.
func (s *Settings) roleProblems(root config.Node) problem.List {
	var list problem.List
	for _, p := range s.Roles.problems() {
		list = append(list, config.Problem(root, "roles", p.Code, "%s", p.Message).WithHint("%s", p.Hint))
	}
	if len(list) > 0 {
		return list
	}
	for _, p := range s.unfit() {
		list = append(list, config.Problem(root, p.Path, p.Code, "with roles: [%s], %s", s.Roles, p.Message).WithHint("%s", p.Hint))
	}
	return list
}
