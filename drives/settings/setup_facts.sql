-- The set-up steps that the organization marked as done or skipped, and what it has already entered.
SELECT ARRAY(SELECT jsonb_array_elements_text(organization.setup_steps)),
    EXISTS (SELECT FROM drives_site WHERE organization_id = organization.id) AS has_site,
    EXISTS (SELECT FROM drives_collectioncenter WHERE organization_id = organization.id) AS has_center,
    EXISTS (SELECT FROM organizations_cause WHERE organization_id = organization.id) AS has_cause,
    EXISTS (SELECT FROM drives_drive WHERE organization_id = organization.id) AS has_drive,
    EXISTS (
        SELECT FROM organizations_invitation WHERE organization_id = organization.id AND state <> 'withdrawn'
    ) OR EXISTS (
        SELECT FROM organizations_membership WHERE organization_id = organization.id OFFSET 1
    ) AS has_colleague
FROM organizations_organization AS organization
WHERE organization.id = %s
