// Render a certificate for every graduate in one request
const graduates = await db.graduates.listByCohort(cohortId);

const response = await fetch('http://127.0.0.1:8080/template/tpl_certificate/batch', {
  method: 'POST',
  headers: {
    'Authorization': `Bearer ${process.env.PICTIFY_API_KEY}`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    variables: graduates.map(g => ({
      recipient_name: g.full_name,
      course_name: g.course,
      completion_date: g.completed_at,
      certificate_id: g.id
    })),
    webhookUrl: 'https://yourapp.com/hooks/batch-complete'
  })
});

const { jobId } = await response.json();
// Webhook fires when all N certificates render. Payload includes URLs.
