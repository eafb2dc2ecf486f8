import { z } from 'zod';
import { defineAction, gate } from '../action.ts';

export default defineAction({
  summary: 'Wait for a yes of a person.',
  description:
    'Asked in the terminal, or answered by ferry approve; --yes answers it too. What was answered, and by whom, is on record.',
  params: z.strictObject({ question: z.string().min(1).describe('A question to be answered yes or no.') }),
  facts: () => ({}),
  touches: (_, role) => ({ effects: [{ does: 'ask', role }] }),
  plan: ({ question }) => gate('asks for a yes', question),
  examples: [{ title: 'Before users notice', with: { question: 'Users cannot work from here on. Go on?' } }],
});
