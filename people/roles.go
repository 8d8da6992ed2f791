package people

// Roles of the staff.
const (
	RoleReviewer = "reviewer" // 审核
	RoleFinance  = "finance"  // 财务
	RoleCashier  = "cashier"  // 收费处
	RoleAuditor  = "auditor"  // 审计
	RoleConfig   = "config"   // 配置
)

// Roles lists all staff roles.
func Roles() []string {
	return []string{RoleReviewer, RoleFinance, RoleCashier, RoleAuditor, RoleConfig}
}
