package collections

// accountTriggers lists the triggers of the staff's accounts: roles that may not
// be one account's, as people.RolesClash has them.
func accountTriggers() []Trigger {
	has := func(role string) string { return "NEW.roles LIKE '%\"" + role + "\"%'" }
	clash := "((" + has("auditor") + " AND json_array_length(NEW.roles) > 1) OR (" + has("config") + " AND (" + has("reviewer") + " OR " +
		has("finance") + ")))"
	const message = "these roles are not for one account"
	return []Trigger{
		trigger("guard_staff_roles_insert", "BEFORE INSERT ON staff WHEN "+clash, message),
		trigger("guard_staff_roles", "BEFORE UPDATE ON staff WHEN NEW.roles IS NOT OLD.roles AND "+clash, message),
	}
}
