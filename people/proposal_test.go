package people

import (
	"errors"
	"testing"
)

var (
	rule = Rule{Propose: []string{RoleFinance}, Confirm: []string{RoleFinance, RoleAuditor}}
	anna = Member{By: By{ID: "anna", Person: "p1"}, Institution: "i", Active: true, Roles: []string{RoleFinance}}
	bert = Member{By: By{ID: "bert", Person: "p2"}, Institution: "i", Active: true, Roles: []string{RoleAuditor}}
)

func with(m Member, f func(*Member)) Member {
	f(&m)
	return m
}

func TestRule_May(t *testing.T) {
	own := Rule{Propose: rule.Propose, Confirm: rule.Confirm, Same: "second_person"}
	off := func(m *Member) { m.Active = false }
	reviewer := func(m *Member) { m.Roles = []string{RoleReviewer} }
	away := func(m *Member) { m.Institution = "j" }
	unknown := func(m *Member) { m.Person = "" }
	twin := with(bert, func(m *Member) { m.Person = "p1" })
	for name, c := range map[string]struct {
		rule     Rule
		act      Act
		by, who  Member
		seen     Seen
		expected error
	}{
		"财务提出":          {rule, Propose, Member{}, anna, Seen{}, nil},
		"审计不提出":         {rule, Propose, Member{}, bert, Seen{}, NotAllowed},
		"停用后不提出":        {rule, Propose, Member{}, with(anna, off), Seen{}, NotAllowed},
		"另一人确认":         {rule, Confirm, anna, bert, Seen{}, nil},
		"看过的就是这一份":      {rule, Confirm, anna, bert, Seen{Name: "7", What: "pay"}, nil},
		"看过的是另一份":       {rule, Confirm, anna, bert, Seen{Name: "6", What: "pay"}, OtherSeen},
		"看过的是另一种处理":     {rule, Confirm, anna, bert, Seen{What: "undo"}, OtherSeen},
		"本人确认":          {rule, Confirm, anna, anna, Seen{}, SamePerson},
		"本人的另一账号":       {rule, Confirm, anna, twin, Seen{}, SamePerson},
		"本人，各处自有的码":     {own, Confirm, anna, twin, Seen{}, Refusal("second_person")},
		"两人都没有登记身份":     {rule, Confirm, with(anna, unknown), with(bert, unknown), Seen{}, PersonUnknown},
		"提出人没有登记身份":     {rule, Confirm, with(anna, unknown), bert, Seen{}, PersonUnknown},
		"确认人没有登记身份":     {rule, Confirm, anna, with(bert, unknown), Seen{}, PersonUnknown},
		"没有登记身份不提出":     {rule, Propose, Member{}, with(anna, unknown), Seen{}, PersonUnknown},
		"没有登记身份不退回":     {rule, Refuse, anna, with(bert, unknown), Seen{}, PersonUnknown},
		"没有登记身份的可以被退回":  {rule, Refuse, with(anna, unknown), bert, Seen{}, nil},
		"没有登记身份可以撤回":    {rule, Withdraw, with(anna, unknown), with(anna, unknown), Seen{}, nil},
		"确认人停用":         {rule, Confirm, anna, with(bert, off), Seen{}, NotAllowed},
		"确认人没有角色":       {rule, Confirm, anna, with(bert, reviewer), Seen{}, NotAllowed},
		"确认人是别院的":       {rule, Confirm, anna, with(bert, away), Seen{}, NotAllowed},
		"提出人停用":         {rule, Confirm, with(anna, off), bert, Seen{}, ProposerGone},
		"提出人失去角色":       {rule, Confirm, with(anna, reviewer), bert, Seen{}, ProposerGone},
		"提出人改任审计，不能再提出": {rule, Confirm, with(anna, func(m *Member) { m.Roles = []string{RoleAuditor} }), bert, Seen{}, ProposerGone},
		"提出人调走":         {rule, Confirm, with(anna, away), bert, Seen{}, ProposerGone},
		"账号已删":          {rule, Confirm, Member{By: anna.By}, bert, Seen{}, ProposerGone},
		"账号已删，本人用另一账号":  {rule, Confirm, Member{By: anna.By}, twin, Seen{}, SamePerson},
		"提出人离岗，别人退回":    {rule, Refuse, with(anna, off), bert, Seen{}, nil},
		"本人不能当作别人退回":    {rule, Refuse, anna, twin, Seen{}, SamePerson},
		"退回的是另一份":       {rule, Refuse, anna, bert, Seen{Name: "6"}, OtherSeen},
		"退回人停用":         {rule, Refuse, anna, with(bert, off), Seen{}, NotAllowed},
		"本人撤回":          {rule, Withdraw, anna, anna, Seen{}, nil},
		"别人不能撤回":        {rule, Withdraw, anna, with(anna, func(m *Member) { m.By = bert.By }), Seen{}, NotAllowed},
		"失去角色后不撤回":      {rule, Withdraw, anna, with(anna, reviewer), Seen{}, NotAllowed},
	} {
		p := Proposal{Institution: "i", Name: "7", What: "pay", By: c.by}
		if err := c.rule.May(c.act, p, c.who, c.seen); !errors.Is(err, c.expected) {
			t.Errorf("%s: %v, want %v", name, err, c.expected)
		}
	}
}

func TestProposal_Ending(t *testing.T) {
	p := Proposal{By: anna}
	if p.Ending(anna.By) != Withdraw || p.Ending(By{ID: "x", Person: "p1"}) != Withdraw || p.Ending(bert.By) != Refuse {
		t.Error("who proposed withdraws, by person; others refuse")
	}
}

func TestRolesClash(t *testing.T) {
	for want, sets := range map[bool][][]string{
		false: {{}, {RoleReviewer}, {RoleReviewer, RoleFinance}, {RoleReviewer, RoleFinance, RoleCashier}, {RoleConfig},
			{RoleConfig, RoleCashier}, {RoleAuditor}, {RoleAuditor, RoleAuditor}},
		true: {Roles(), {RoleConfig, RoleReviewer}, {RoleFinance, RoleConfig}, {RoleAuditor, RoleCashier}, {RoleConfig, RoleAuditor},
			{RoleReviewer, RoleAuditor}},
	} {
		for _, roles := range sets {
			if got := RolesClash(roles); got != want {
				t.Errorf("%v: %v", roles, got)
			}
		}
	}
}
