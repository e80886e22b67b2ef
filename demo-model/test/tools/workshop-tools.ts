/** The tools of a workshop's agent, as a request carries them. */
export const WORKSHOP_TOOLS = [
  {
    type: 'function' as const,
    function: {
      name: 'find_appointments',
      description: "Lists the customer's appointments.",
      parameters: { type: 'object', properties: {}, required: [] },
    },
  },
  {
    type: 'function' as const,
    function: {
      name: 'book_appointment',
      description: 'Books a workshop appointment for the customer.',
      parameters: {
        type: 'object',
        properties: {
          service: { type: 'string', description: 'What is to be done' },
          date: { type: 'string', description: 'YYYY-MM-DD' },
          time: { type: 'string', description: 'HH:MM, 24-hour clock' },
        },
        required: ['service', 'date', 'time'],
      },
    },
  },
];
