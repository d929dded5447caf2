//! The weighing instrument (afwegingsinstrument) as data with a version: questions, answers, outcome.
//!
//! Not here: who may weigh and what is recorded of it (`triage`).

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::words::Sentence;
use crate::{CareType, Label};

/// What a weighing comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Care of this type.
    Care(CareType),
    /// Specialist care: the hospital.
    Hospital,
}

impl Outcome {
    /// The code under which it is recorded. The contract has none for the hospital, so it is counted as `other`.
    #[must_use]
    pub fn code(&self) -> CareType {
        match self {
            Self::Care(care_type) => care_type.clone(),
            Self::Hospital => CareType::from("HOSPITAL"),
        }
    }
}

/// One question, asked in the order of the instrument: yes or no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name in the answers.
    pub id: String,
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
    /// What a yes comes to; `None` asks on.
    pub yes: Option<Outcome>,
    /// What a no comes to; `None` asks on.
    pub no: Option<Outcome>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// Yes.
    pub yes: bool,
}

/// Why answers give no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeighingError {
    /// This question, as it is asked, comes next and has no answer.
    Unanswered(Sentence),
    /// There is no such question, or it was answered twice.
    Unknown(String),
}

/// An instrument in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its name with its version, as recorded.
    pub name: Label,
    /// Its questions in their order.
    pub questions: Vec<Question>,
    /// What it comes to when no answer decided.
    pub otherwise: Outcome,
}

impl Instrument {
    /// What these answers come to, and the questions that were needed for it.
    ///
    /// # Errors
    /// If a question that is needed has no answer, or an answer is to no question.
    pub fn weigh(&self, answers: &[Answer]) -> Result<Outcome, WeighingError> {
        for (index, answer) in answers.iter().enumerate() {
            let known = self.questions.iter().any(|question| question.id == answer.question);
            let twice = answers.iter().take(index).any(|before| before.question == answer.question);
            if !known || twice {
                return Err(WeighingError::Unknown(answer.question.clone()));
            }
        }
        for question in &self.questions {
            let Some(answer) = answers.iter().find(|answer| answer.question == question.id) else {
                let (nl, en) = (question.nl.clone(), question.en.clone());
                return Err(WeighingError::Unanswered(Sentence { nl, en }));
            };
            if let Some(outcome) = if answer.yes { &question.yes } else { &question.no } {
                return Ok(outcome.clone());
            }
        }
        Ok(self.otherwise.clone())
    }
}

impl Default for Instrument {
    /// The splits of the field in one order; a region replaces it by its own.
    fn default() -> Self {
        use CareType::{ElvHc, ElvLc, ElvPtz, Ggz, Grz, Respijt, Spoedbed, WlzCrisis};
        let care = |care_type| Some(Outcome::Care(care_type));
        let question = |(id, nl, en, yes, no): (&str, &str, &str, Option<Outcome>, Option<Outcome>)| {
            Question { id: id.to_owned(), nl: nl.to_owned(), en: en.to_owned(), yes, no }
        };
        let questions = [
            (
                "specialist",
                "Is medisch-specialistische zorg nodig?",
                "Is specialist care needed?",
                Some(Outcome::Hospital),
                None,
            ),
            (
                "psychiatric",
                "Is het een psychiatrische crisis?",
                "Is it a psychiatric crisis?",
                care(Ggz),
                None,
            ),
            (
                "wlz",
                "Is er een Wlz-indicatie, of wordt die binnen twee weken verwacht?",
                "Is there a long-term care indication, or one expected within two weeks?",
                care(WlzCrisis),
                None,
            ),
            (
                "stay",
                "Is verblijf medisch noodzakelijk?",
                "Is a stay medically necessary?",
                None,
                care(Respijt),
            ),
            (
                "palliative",
                "Is de levensverwachting drie maanden of korter?",
                "Is life expectancy three months or less?",
                care(ElvPtz),
                None,
            ),
            (
                "rehabilitation",
                "Zijn revalidatie en terugkeer naar huis het doel bij kwetsbaarheid en multimorbiditeit?",
                "Is rehabilitation towards home the aim, with frailty and multimorbidity?",
                care(Grz),
                None,
            ),
            (
                "unclear",
                "Is de zorgvraag nog onduidelijk?",
                "Is the need still unclear?",
                care(Spoedbed),
                None,
            ),
            (
                "interacting",
                "Zijn er meerdere aandoeningen die elkaar beïnvloeden?",
                "Are there several interacting conditions?",
                care(ElvHc),
                care(ElvLc),
            ),
        ];
        Self {
            name: Label::from_static("afweging-1"),
            questions: questions.into_iter().map(question).collect(),
            otherwise: Outcome::Care(ElvLc),
        }
    }
}
