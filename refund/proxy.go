package refund

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/idno"
	"hospay/people"
)

// ProxyCase says why a patient does not act alone (代办情形).
type ProxyCase string

// The cases.
const (
	ProxyMinor         ProxyCase = "minor"         // 未成年人
	ProxyElderly       ProxyCase = "elderly"       // 老年人
	ProxyDeceased      ProxyCase = "deceased"      // 已故
	ProxyIncapacitated ProxyCase = "incapacitated" // 无民事行为能力人
	ProxyImmobile      ProxyCase = "immobile"      // 行动不便: an adult who decides, and cannot come
)

// ProxyRelation is what the agent (代办人) is to the principal (被代办人).
type ProxyRelation string

// ProxyRelations lists the relations in the order of the pages.
func ProxyRelations() []ProxyRelation {
	return []ProxyRelation{"parent", "child", "spouse", "sibling", "guardian", "other"}
}

// Valid reports whether r is a relation.
func (r ProxyRelation) Valid() bool { return slices.Contains(ProxyRelations(), r) }

// MaterialKind names a supporting document (证明材料).
type MaterialKind string

// The kinds of materials.
const (
	AgentIDFront     MaterialKind = "agent_id_front"
	AgentIDBack      MaterialKind = "agent_id_back"
	PrincipalIDFront MaterialKind = "principal_id_front" // 身份证人像面, or the page of the household register
	PrincipalIDBack  MaterialKind = "principal_id_back"
	GuardianProof    MaterialKind = "guardian_proof"
	DeathCertificate MaterialKind = "death_certificate"
	KinshipProof     MaterialKind = "kinship_proof"
	PowerOfAttorney  MaterialKind = "power_of_attorney"
	OtherMaterial    MaterialKind = "other"
)

// MaterialKinds lists the kinds in the order of the pages.
func MaterialKinds() []MaterialKind {
	return []MaterialKind{
		AgentIDFront, AgentIDBack, PrincipalIDFront, PrincipalIDBack, GuardianProof, DeathCertificate, KinshipProof, PowerOfAttorney,
		OtherMaterial,
	}
}

// Valid reports whether k is a kind.
func (k MaterialKind) Valid() bool { return slices.Contains(MaterialKinds(), k) }

// Most is how many photos of a kind an application takes.
func (k MaterialKind) Most() int {
	if k == OtherMaterial {
		return 3
	}
	return 1
}

// proxyRule is what a case demands. Ages are counted in birthdays; 0 = any.
type proxyRule struct {
	name            ProxyCase
	required        []MaterialKind
	from, below     int
	principalIsPaid bool // the principal can be paid
}

// proxyRules is the one table of cases.
var proxyRules = []proxyRule{
	{ProxyMinor, []MaterialKind{AgentIDFront, AgentIDBack, PrincipalIDFront, GuardianProof}, 0, 18, true},
	{ProxyElderly, []MaterialKind{AgentIDFront, AgentIDBack, PrincipalIDFront, PrincipalIDBack, PowerOfAttorney}, 60, 0, true},
	{ProxyDeceased, []MaterialKind{AgentIDFront, AgentIDBack, PrincipalIDFront, DeathCertificate, KinshipProof}, 0, 0, false},
	{ProxyIncapacitated, []MaterialKind{AgentIDFront, AgentIDBack, PrincipalIDFront, PrincipalIDBack, GuardianProof}, 0, 0, true},
	{ProxyImmobile, []MaterialKind{AgentIDFront, AgentIDBack, PrincipalIDFront, PrincipalIDBack, PowerOfAttorney}, 18, 0, true},
}

func (c ProxyCase) rule() proxyRule {
	for _, r := range proxyRules {
		if r.name == c {
			return r
		}
	}
	return proxyRule{}
}

// ProxyCases lists the cases in the order of the pages.
func ProxyCases() []ProxyCase {
	var out []ProxyCase
	for _, r := range proxyRules {
		out = append(out, r.name)
	}
	return out
}

// Valid reports whether c is a case.
func (c ProxyCase) Valid() bool { return c != "" && c.rule().name == c }

// Required lists the materials without which an application for a principal
// with that paper cannot be handed in.
func (c ProxyCase) Required(paper idno.Paper) []MaterialKind {
	return slices.DeleteFunc(slices.Clone(c.rule().required), func(k MaterialKind) bool { return slices.Contains(Sideless(paper), k) })
}

// Optional lists the materials that may be added.
func (c ProxyCase) Optional(paper idno.Paper) []MaterialKind {
	required := append(c.Required(paper), Sideless(paper)...)
	return slices.DeleteFunc(MaterialKinds(), func(k MaterialKind) bool { return slices.Contains(required, k) })
}

// Sideless lists the materials that there are none of with that paper of the
// principal: a passport has one page with everything.
func Sideless(paper idno.Paper) []MaterialKind {
	if paper == idno.Passport {
		return []MaterialKind{PrincipalIDBack}
	}
	return nil
}

// Missing lists the required materials that are not there.
func (p Proxy) Missing(have []MaterialKind) []MaterialKind {
	return slices.DeleteFunc(p.Case.Required(p.Paper), func(k MaterialKind) bool { return slices.Contains(have, k) })
}

// ProxyPayee says who gets the money of a transfer.
type ProxyPayee string

// The two settings of an institution, and oneself for orders without a proxy.
const (
	PayAgent     ProxyPayee = "agent"
	PayPrincipal ProxyPayee = "principal"
	PaySelf      ProxyPayee = "self"
)

// Payee is who gets the money of a transfer: a deceased principal's goes to
// the agent, whatever the institution prefers.
func (c ProxyCase) Payee(preferred ProxyPayee) ProxyPayee {
	if preferred == PayPrincipal && c.rule().principalIsPaid {
		return PayPrincipal
	}
	return PayAgent
}

// ProxyStatus is the state of a proxy application.
type ProxyStatus string

// The states of an application.
const (
	ProxyDraft     ProxyStatus = "draft"     // 待提交: materials come
	ProxySubmitted ProxyStatus = "submitted" // 待审核
	ProxyApproved  ProxyStatus = "approved"  // 审核通过
	ProxyRejected  ProxyStatus = "rejected"  // 审核驳回
	ProxyEnded     ProxyStatus = "closed"    // 已关闭
)

var proxyMoves = map[ProxyStatus][]ProxyStatus{
	ProxyDraft:     {ProxySubmitted, ProxyEnded},
	ProxySubmitted: {ProxyApproved, ProxyRejected, ProxyEnded},
	ProxyApproved:  {ProxyEnded},
	ProxyRejected:  nil,
	ProxyEnded:     nil,
}

// ProxyStatuses lists the states in a fixed order.
func ProxyStatuses() []ProxyStatus {
	return []ProxyStatus{ProxyDraft, ProxySubmitted, ProxyApproved, ProxyRejected, ProxyEnded}
}

// Next lists the states that may follow s.
func (s ProxyStatus) Next() []ProxyStatus { return slices.Clone(proxyMoves[s]) }

// Can reports whether an application may move from s to next.
func (s ProxyStatus) Can(next ProxyStatus) bool { return slices.Contains(proxyMoves[s], next) }

// Final reports whether no application leaves s.
func (s ProxyStatus) Final() bool { return len(proxyMoves[s]) == 0 }

// Proxy is an application to act for somebody else (亲友代办). Agent and
// Principal are patient ids.
type Proxy struct {
	ID, No, Institution, Agent, Principal string

	Case      ProxyCase
	Relation  ProxyRelation
	Paper     idno.Paper // the principal's
	CardNo    string
	Status    ProxyStatus
	Version   int64
	ExpiresAt time.Time
}

// Usable reports whether orders may be made with the application at now.
func (p Proxy) Usable(now time.Time) bool {
	return p.Status == ProxyApproved && now.Before(p.ExpiresAt)
}

// ProxyWish is an application to act for somebody, as sent. IDNo is the number
// of Paper in its one form; AgentIDNo is the agent's own.
type ProxyWish struct {
	Claim
	AgentIDNo string

	Case     ProxyCase
	Relation ProxyRelation
	Consent  string // version of the consent text that was agreed to
}

// Claim is what somebody says of a person and a card of theirs, for HIS to confirm.
type Claim struct {
	Name, IDNo, CardNo string
	Paper              idno.Paper
}

// badPaper tells what is wrong with the number, for a paper of its kind.
func (c Claim) badPaper(now time.Time) error {
	switch {
	case !slices.Contains(idno.Papers(), c.Paper):
		return flow.NewError(flow.CodeBadRequest, "paper")
	case c.Paper.Fits(c.IDNo, now, calendar.Beijing):
		return nil
	case c.Paper == idno.Resident:
		return flow.NewError(flow.CodeIDNoInvalid, "")
	}
	return flow.NewError(CodePaperInvalid, "")
}

// whole reports whether name and card are worth a question.
func (c Claim) whole() bool {
	return people.NameForm(c.Name) && c.CardNo != "" && len(c.Name) <= maxText && len(c.CardNo) <= maxText
}

// maxText bounds, in bytes, what is looked for at HIS; no name and no card
// number is longer.
const maxText = 180

// CheckProxy applies the rules that need no look at HIS, in the order in which
// a person would mend them.
func CheckProxy(w ProxyWish, inst Institution, now time.Time) error {
	birth, aged := w.Paper.Birth(w.IDNo, now, calendar.Beijing)
	switch {
	case !inst.Active:
		return flow.NewError(flow.CodeInstitutionOff, "")
	case !inst.Proxy.On || inst.Proxy.Consent == "":
		return flow.NewError(CodeProxyOff, "")
	case w.Consent != inst.Proxy.Consent:
		return flow.NewError(CodeConsentOutdated, "in force: "+inst.Proxy.Consent)
	case !w.Case.Valid() || !w.Relation.Valid():
		return flow.NewError(flow.CodeBadRequest, "case or relation")
	case w.badPaper(now) != nil:
		return w.badPaper(now)
	case w.IDNo == w.AgentIDNo:
		return flow.NewError(CodeProxySelf, "")
	case !w.whole():
		return flow.NewError(CodePrincipalNotFound, "")
	}
	if !aged {
		return nil // the reviewer sees it on the paper
	}
	return w.Case.checkAge(idno.Age(birth, now))
}

func (c ProxyCase) checkAge(age int) error {
	if r := c.rule(); age < r.from || (r.below > 0 && age >= r.below) {
		return flow.NewError(CodeProxyCaseMismatch, "")
	}
	return nil
}

// ProxyNo derives the number of an application: A, the Beijing date, twelve
// digits from the record id.
func ProxyNo(id string, at time.Time) string {
	sum := sha256.Sum256([]byte("proxy|" + id))
	return fmt.Sprintf("A%s%012d", at.In(calendar.Beijing).Format("20060102"), binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000)
}
